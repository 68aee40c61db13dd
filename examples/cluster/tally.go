package main

// tally is what one client was sent, held against what was published. It belongs to
// who holds it.
type tally struct {
	last     map[string]uint64          // by room; a room that is not there begins with whatever comes
	missing  map[string]map[uint64]bool // passed over, and not seen since
	received uint64
	repeated uint64
	reversed uint64 // came after a later one
	told     uint64 // times that the session was lost, and the client knew
}

func newTally() *tally {
	t := &tally{missing: make(map[string]map[uint64]bool)}
	t.begin()
	return t
}

// begin forgets where rooms were: the session is another one.
func (t *tally) begin() { t.last = make(map[string]uint64) }

// saw counts an event.
func (t *tally) saw(m message) {
	t.received++
	last, known := t.last[m.Room]
	switch {
	case !known || m.N > last:
		for n := last + 1; known && n < m.N; n++ {
			t.misses(m.Room)[n] = true
		}
		t.last[m.Room] = m.N
	case t.missing[m.Room][m.N]:
		delete(t.missing[m.Room], m.N)
		t.reversed++
	default:
		t.repeated++
	}
}

func (t *tally) misses(room string) map[uint64]bool {
	if t.missing[room] == nil {
		t.missing[room] = make(map[uint64]bool)
	}
	return t.missing[room]
}

// lost counts what never came, but for what may not have been published.
func (t *tally) lost(of *traffic) (lost uint64) {
	for room, missing := range t.missing {
		for n := range missing {
			if !of.isUnsure(room, n) {
				lost++
			}
		}
	}
	return lost
}
