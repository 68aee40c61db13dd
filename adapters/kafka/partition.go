package kafka

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partition is one that this taker has, for one session of the group. It does no I/O; the queue's
// lock guards it.
type partition struct {
	session *session
	number  int32
	epoch   uint64
	loaded  bool          // what the group remembers of it is known
	early   []*kgo.Record // that came before it was
	todo    []run         // taken by others, not dealt with, and not here yet
	next    int64         // the offset behind the last record that came
	end     int64         // nothing from here on has been taken
	window  []*entry      // what is here and not dealt with, in order: first what is taken,
	taken   int           // so many
	paused  bool          // no more is fetched for now
}

// entry is a record that has not been dealt with.
type entry struct {
	partition *partition
	record    *kgo.Record
	tries     int
	done      bool // by us, and it left the window
}

// load sets what the group remembers. owner is this taker: while nobody else has taken anything,
// its epoch stays.
func (p *partition) load(was progress, owner uint64) {
	p.epoch = was.epoch
	if was.owner != owner || was.epoch == 0 {
		p.epoch++
	}
	p.todo, p.end, p.next, p.loaded = was.todo, was.end, was.first(), true
	early := p.early
	p.early = nil
	for _, r := range early {
		p.add(r)
	}
}

// add takes in the next record. One that was dealt with already is left out.
func (p *partition) add(r *kgo.Record) {
	if !p.loaded {
		p.early = append(p.early, r)
		return
	}
	if r.Offset < p.next {
		return
	}
	p.next = r.Offset + 1
	for len(p.todo) > 0 && p.todo[0].to <= r.Offset {
		p.todo = p.todo[1:]
	}
	tries, known := 0, len(p.todo) > 0 && p.todo[0].from <= r.Offset
	if known {
		tries = p.todo[0].tries
		p.todo[0].from = p.next
	}
	if known || r.Offset >= p.end {
		p.window = append(p.window, &entry{partition: p, record: r, tries: tries})
	}
}

// ready is how many items are here that nobody has taken.
func (p *partition) ready() int { return len(p.window) - p.taken }

// blocked reports whether too much of what was taken is not dealt with: no more is then taken, so
// that what the group remembers stays small.
func (p *partition) blocked() bool {
	if p.ready() == 0 {
		return false
	}
	at := p.window[p.taken].record.Offset
	return at >= p.end && (p.taken >= maxOpen || at-p.window[0].record.Offset >= maxSpan)
}

// take returns the next item, or nil.
func (p *partition) take() *entry {
	if !p.loaded || p.ready() == 0 || p.blocked() {
		return nil
	}
	e := p.window[p.taken]
	p.taken++
	e.tries++
	p.end = max(p.end, e.record.Offset+1)
	return e
}

// untake gives back the item that was taken last.
func (p *partition) untake() {
	p.taken--
	p.window[p.taken].tries--
}

// finish is told that an item that was taken has been dealt with.
func (p *partition) finish(e *entry) {
	i, found := slices.BinarySearchFunc(p.window[:p.taken], e.record.Offset, func(e *entry, at int64) int {
		return int(e.record.Offset - at)
	})
	switch {
	case !found:
		return
	case i == 0: // mostly
		p.window[0] = nil
		p.window = p.window[1:]
	default:
		p.window = slices.Delete(p.window, i, i+1)
	}
	p.taken--
	e.done = true
}

// progress is what the group should remember now.
func (p *partition) progress(owner uint64) progress {
	now := progress{epoch: p.epoch, owner: owner, end: p.end}
	for _, e := range p.window {
		at := e.record.Offset
		if at >= p.end {
			break
		}
		if n := len(now.todo); n > 0 && now.todo[n-1].to == at && now.todo[n-1].tries == e.tries {
			now.todo[n-1].to++
			continue
		}
		now.todo = append(now.todo, run{at, at + 1, e.tries})
	}
	for _, r := range p.todo {
		if r.from < r.to {
			now.todo = append(now.todo, r)
		}
	}
	return now
}
