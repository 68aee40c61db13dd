package gateway

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
)

// ringModel is what a ring promises, written as plainly as it can be: every
// event ever numbered, and the list of those that wait.
type ringModel struct {
	numbered []*published // numbered[i] has sequence firstSequence+i
	unsent   []*published
	acked    uint64 // the lowest sequence that is still held
	next     uint64

	attached, replaying bool
	replayLeft          int // of unsent, what was there at the resume

	owes      bool // the answer to a resume, which was put back
	resumedAt uint64
}

func (m *ringModel) end() uint64 { return firstSequence + uint64(len(m.numbered)) }

func (m *ringModel) append(p *published, b *bounds) outcome {
	if p.Class == Volatile {
		size := 0
		for _, q := range m.unsent {
			size += q.size()
		}
		if !m.attached || m.replaying || len(m.unsent) > b.unsentEvents/4 || size > b.unsentBytes/4 {
			return refused
		}
	}
	if p.Class == Conflate {
		for i, q := range m.unsent {
			if q.Class == Conflate && q.Topic == p.Topic && q.Key == p.Key {
				m.unsent[i] = p
				if m.over(b) {
					return overflowed
				}
				return conflated
			}
		}
	}
	m.unsent = append(m.unsent, p)
	if m.over(b) {
		return overflowed
	}
	return queued
}

func (m *ringModel) over(b *bounds) bool {
	events, size := 0, 0
	counted := m.unsent
	if m.attached {
		if m.replaying {
			counted = m.unsent[m.replayLeft:]
		}
	} else {
		for _, p := range m.numbered[m.acked-firstSequence:] {
			events, size = events+1, size+p.size()
		}
	}
	for _, p := range counted {
		events, size = events+1, size+p.size()
	}
	if m.attached {
		return events > b.unsentEvents || size > b.unsentBytes
	}
	return events > b.detachedEvents || size > b.detachedBytes
}

func (m *ringModel) take() (uint64, *published, bool) {
	if m.owes && m.next >= m.resumedAt {
		return 0, nil, false
	}
	if m.next < m.end() {
		m.next++
		return m.next - 1, m.numbered[m.next-1-firstSequence], true
	}
	if len(m.unsent) == 0 || m.replaying && m.replayLeft == 0 {
		return 0, nil, false
	}
	p := m.unsent[0]
	m.unsent = slices.Delete(m.unsent, 0, 1)
	if m.replaying {
		m.replayLeft--
	}
	m.numbered = append(m.numbered, p)
	m.next++
	return m.next - 1, p, true
}

func (m *ringModel) trim(b *bounds) {
	for m.acked < m.next && m.keptOver(b) {
		m.acked++
	}
}

func (m *ringModel) keptOver(b *bounds) bool {
	size := 0
	kept := m.numbered[m.acked-firstSequence:]
	for _, p := range kept {
		size += p.size()
	}
	return len(kept) > b.keptEvents || size > b.keptBytes
}

func (m *ringModel) caughtUp() bool {
	if m.owes {
		m.owes = m.next < m.resumedAt
		return !m.owes
	}
	if m.replaying && m.next == m.end() && m.replayLeft == 0 {
		m.replaying, m.resumedAt = false, m.next
		return true
	}
	return false
}

func (m *ringModel) resume(seq uint64) bool {
	seq = max(seq, 1)
	if seq+1 < m.acked || seq+1 > m.end() {
		return false
	}
	m.next, m.attached, m.replaying, m.replayLeft, m.owes = seq+1, true, true, len(m.unsent), false
	return true
}

func (m *ringModel) purge(topic string) {
	kept := m.unsent[:0]
	left := m.replayLeft
	for i, p := range m.unsent {
		if p.Topic == topic {
			if i < m.replayLeft {
				left--
			}
			continue
		}
		kept = append(kept, p)
	}
	m.unsent, m.replayLeft = kept, left
}

// checkRing compares what a ring shows with the model.
func checkRing(r *ring, m *ringModel) error {
	switch {
	case !(r.acked <= r.next && r.next <= r.numbered() && r.numbered() <= r.tail()):
		return fmt.Errorf("S1: acked %d ≤ next %d ≤ numbered %d ≤ tail %d does not hold", r.acked, r.next, r.numbered(), r.tail())
	case r.acked != m.acked || r.next != m.next || r.numbered() != m.end():
		return fmt.Errorf("marks are %d %d %d, want %d %d %d", r.acked, r.next, r.numbered(), m.acked, m.next, m.end())
	case r.unsentLive != len(m.unsent):
		return fmt.Errorf("%d wait, want %d", r.unsentLive, len(m.unsent))
	case r.pending() != (m.next < m.end() || len(m.unsent) > 0 || m.replaying || m.owes):
		return errors.New("pending is wrong")
	}
	kept, unsent := 0, 0
	for i, p := range m.numbered[m.acked-firstSequence:] {
		if got := *r.at(r.head + uint64(i)); got != p {
			return fmt.Errorf("S2: sequence %d names another event", m.acked+uint64(i))
		}
		kept += p.size()
	}
	i := 0
	for place := r.unsent; place != r.end; place++ {
		if p := *r.at(place); p != nil {
			if m.unsent[i] != p {
				return fmt.Errorf("waiting event %d is another", i)
			}
			unsent += p.size()
			i++
		}
	}
	if r.keptBytes != kept || r.unsentBytes != unsent {
		return fmt.Errorf("bytes are %d and %d, want %d and %d", r.keptBytes, r.unsentBytes, kept, unsent)
	}
	held := 0
	if r.slots != nil {
		for _, p := range r.slots.entries {
			if p != nil {
				held++
			}
		}
	}
	if want := len(m.numbered) - int(m.acked-firstSequence) + len(m.unsent); held != want {
		return fmt.Errorf("S10: the array refers to %d events, want %d", held, want)
	}
	return nil
}

// TestRingAgainstModel holds S1, S2, S3, S4, S6, S7 and S10 against random schedules.
func TestRingAgainstModel(t *testing.T) {
	for seed := range uint64(3000) {
		if err := runRing(seed, 300); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func runRing(seed uint64, steps int) error {
	rnd := rand.New(rand.NewPCG(seed, 1))
	b := &bounds{
		unsentEvents: 4 + rnd.IntN(60), unsentBytes: 200 + rnd.IntN(9000),
		keptEvents: 4 + rnd.IntN(60), keptBytes: 200 + rnd.IntN(9000),
		detachedEvents: 4 + rnd.IntN(90), detachedBytes: 200 + rnd.IntN(12000),
	}
	r, m := newRing(), &ringModel{acked: firstSequence, next: firstSequence, attached: true}
	r.attach()
	for step := range steps {
		var got, want any
		name := ""
		switch k := rnd.IntN(22); {
		case k < 9:
			p := &published{Record: Record{
				Topic: string('a' + rune(rnd.IntN(3))), Key: string('k' + rune(rnd.IntN(4))),
				Class: Class(rnd.IntN(3)), Data: make([]byte, rnd.IntN(100)), Type: "T",
			}}
			name, got, want = "append "+p.Class.String(), r.append(p, b), m.append(p, b)
		case k < 15:
			seq, p, ok := r.take()
			mseq, mp, mok := m.take()
			name, got, want = "take", fmt.Sprint(seq, ok), fmt.Sprint(mseq, mok)
			if p != mp {
				return fmt.Errorf("step %d: take returned another event for %d", step, seq)
			}
			if !ok && rnd.IntN(2) == 0 && r.caughtUp() != m.caughtUp() {
				return fmt.Errorf("step %d: caughtUp differs", step)
			}
		case k < 17:
			seq := m.acked - 2 + uint64(rnd.IntN(int(m.end()-m.acked)+4))
			err := r.ack(seq)
			name, got, want = "ack", err != nil, seq >= m.end()
			if seq < m.end() && seq >= m.acked {
				m.acked = seq + 1
				m.next = max(m.next, m.acked)
			}
		case k < 18:
			name = "detach"
			r.detach()
			m.attached, m.replaying, m.replayLeft, m.owes = false, false, 0, false
		case k < 19:
			seq := m.acked - 2 + uint64(rnd.IntN(int(m.end()-m.acked)+4))
			name, got, want = fmt.Sprint("resume ", seq), r.resume(seq), m.resume(seq)
		case k < 20:
			name = "trim"
			r.trim(b)
			m.trim(b)
		case k < 21:
			seq := m.next - uint64(rnd.IntN(5))
			name = fmt.Sprint("put back ", seq)
			r.putBack(seq)
			m.next = max(min(m.next, seq), m.acked)
			if m.resumedAt > 0 && !m.replaying && m.attached && seq <= m.resumedAt && rnd.IntN(2) == 0 {
				r.putBackResumed()
				m.owes = true
			}
		default:
			topic := string('a' + rune(rnd.IntN(3)))
			name = "purge " + topic
			r.purge(topic)
			m.purge(topic)
		}
		if got != want {
			return fmt.Errorf("step %d: %s: got %v, want %v", step, name, got, want)
		}
		if err := checkRing(&r, m); err != nil {
			return fmt.Errorf("step %d: after %s: %w", step, name, err)
		}
	}
	r.release()
	return nil
}

func keep(topic string) *published {
	return &published{Record: Record{Topic: topic, Type: "T", Data: []byte("{}")}}
}

func takeAll(r *ring) (seqs []uint64) {
	for {
		seq, _, ok := r.take()
		if !ok {
			return seqs
		}
		seqs = append(seqs, seq)
	}
}

func TestRingResumePoints(t *testing.T) { // S4
	b := &bounds{}
	tests := []struct {
		name string
		ack  uint64
		seq  uint64
		want bool
		from uint64
	}{
		{"zero means READY", 0, 0, true, 2},
		{"READY", 0, 1, true, 2},
		{"in the middle", 0, 3, true, 4},
		{"everything seen", 0, 6, true, 7},
		{"from the future", 0, 7, false, 0},
		{"acknowledged", 4, 3, false, 0},
		{"exactly what is acknowledged", 4, 4, true, 5},
		{"zero after an acknowledgement", 4, 0, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRing()
			r.attach()
			for range 5 {
				r.append(keep("a"), b)
			}
			takeAll(&r)
			if tt.ack > 0 {
				if err := r.ack(tt.ack); err != nil {
					t.Fatal(err)
				}
			}
			r.detach()
			before := r.next
			if got := r.resume(tt.seq); got != tt.want {
				t.Fatalf("resume(%d) = %v, want %v", tt.seq, got, tt.want)
			}
			if !tt.want {
				if r.next != before || r.attached {
					t.Fatal("a refused resume changed the ring")
				}
				return
			}
			seqs := takeAll(&r)
			if len(seqs) != int(7-tt.from) || len(seqs) > 0 && seqs[0] != tt.from {
				t.Fatalf("replayed %v, want from %d", seqs, tt.from)
			}
			if !r.caughtUp() || r.caughtUp() {
				t.Fatal("caughtUp is to be true exactly once")
			}
		})
	}
}

func TestRingReplayDoesNotCountWhatWasThere(t *testing.T) { // S3
	b := &bounds{unsentEvents: 4}
	r := newRing()
	for range 10 {
		if got := r.append(keep("a"), b); got != queued {
			t.Fatalf("detached append: %v", got)
		}
	}
	r.resume(1)
	for i := range 4 {
		if got := r.append(keep("a"), b); got != queued {
			t.Fatalf("append %d while replaying: %v", i, got)
		}
	}
	if got := r.append(keep("a"), b); got != overflowed {
		t.Fatalf("the fifth event beyond the resume: %v, want overflowed", got)
	}
}

func TestRingKnowsItsOldest(t *testing.T) { // S3
	r := newRing()
	r.attach()
	for _, at := range []int64{1000, 2000, 3000, 4000} {
		p := keep("a")
		p.at = at
		r.append(p, &bounds{})
	}
	r.take()
	r.take()
	r.trim(&bounds{}) // they are written
	r.take()
	if r.oldest() != 1000 || r.oldestUnsent() != 4000 {
		t.Errorf("the oldest is of %d, of the unsent %d", r.oldest(), r.oldestUnsent())
	}
	r.trimOlder(3000)
	if r.acked != firstSequence+2 {
		t.Errorf("%d is the oldest sequence that is kept", r.acked)
	}
	r.putBack(firstSequence + 2)
	r.trimOlder(9000)
	if r.acked != firstSequence+2 {
		t.Error("what was not written was forgotten")
	}
}

// A ring that goes through a store is the same afterwards, whatever its size.
func TestRingIsRestored(t *testing.T) {
	for n := range 100 {
		r := newRing()
		r.attach()
		for i := range n {
			p := keep("a")
			p.at = int64(i)
			r.append(p, &bounds{})
		}
		for range n / 2 {
			r.take()
		}
		r.ack(firstSequence - 1 + uint64(n/8))
		events := slices.Collect(r.all())
		numbered := int(r.sent - r.head)
		fresh := newRing()
		fresh.restore(r.acked, events[:numbered], events[numbered:])
		if got := slices.Collect(fresh.all()); !slices.Equal(got, events) {
			t.Fatalf("%d events: others came back", n)
		}
		if fresh.numbered() != r.numbered() || fresh.tail() != r.tail() || fresh.keptBytes != r.keptBytes || fresh.unsentBytes != r.unsentBytes {
			t.Fatalf("%d events: marks or sizes differ", n)
		}
	}
}

// What is held is accounted for once, however many rings hold it.
func TestRingsAccountForWhatTheyHold(t *testing.T) {
	var account atomic.Int64
	hold := func() *published {
		p := keep("a")
		p.Class, p.account = Conflate, &account
		return p
	}
	b := &bounds{keptEvents: 2}
	p := hold()
	rings := []ring{newRing(), newRing()}
	for i := range rings {
		rings[i].attach()
		rings[i].append(p, b)
	}
	if n := account.Load(); n != int64(p.size()) {
		t.Errorf("%d bytes are held, want %d", n, p.size())
	}
	r := &rings[0]
	r.append(hold(), b) // in its place
	for range 3 {
		r.take()
		q := hold()
		q.Key = fmt.Sprint(r.next)
		r.append(q, b)
	}
	r.trim(b)
	if n := account.Load(); n != int64(4*p.size()) { // one in the other ring, two kept, one unsent
		t.Errorf("%d bytes are held, want %d", n, 4*p.size())
	}
	r.purge("a")
	r.ack(r.next - 1)
	rings[1].release()
	if n := account.Load(); n != 0 {
		t.Errorf("%d bytes are held by nobody", n)
	}
}

func TestRingAllocatesNothingWithinItsClass(t *testing.T) { // S10
	b := &bounds{}
	r := newRing()
	r.attach()
	p := keep("a")
	run := func() {
		for range 6 {
			r.append(p, b)
		}
		var last uint64
		for {
			seq, _, ok := r.take()
			if !ok {
				break
			}
			last = seq
		}
		r.ack(last)
	}
	run()
	if n := testing.AllocsPerRun(1000, run); n != 0 {
		t.Errorf("%v allocations a round, want 0", n)
	}
	if r.slots != nil {
		t.Error("an empty ring holds an array")
	}
}

func BenchmarkRing(b *testing.B) {
	limits := &bounds{unsentEvents: 4096, unsentBytes: 4 << 20, keptEvents: 8192, keptBytes: 8 << 20}
	r := newRing()
	r.attach()
	p := keep("a")
	b.ReportAllocs()
	for b.Loop() {
		r.append(p, limits)
		seq, _, _ := r.take()
		if seq%32 == 0 {
			r.ack(seq)
		}
	}
}

// What waited for the first connection is exempt from its bound, and nothing
// that comes later is, when tombstones have been squeezed out in between.
func TestRingSqueezesBehindWhatIsExempt(t *testing.T) { // S3
	b := &bounds{unsentEvents: 40}
	r := newRing()
	for i := range 20 {
		r.append(keep([]string{"a", "b"}[i%2]), b)
	}
	r.attach()
	r.purge("a")
	r.append(keep("c"), b)
	r.append(keep("c"), b)
	for range 11 { // the ten that waited, and one
		r.take()
	}
	for i := range 39 {
		if got := r.append(keep("c"), b); got != queued {
			t.Fatalf("event %d of 40 that may wait: %v", i+2, got)
		}
	}
	takeAll(&r)
	if r.exemptLive != 0 || r.exemptBytes != 0 {
		t.Errorf("%d events and %d bytes are exempt of none", r.exemptLive, r.exemptBytes)
	}
}

// What was taken and not written yet is not forgotten for its age, or because
// memory is short: it may be put back (S2).
func TestRingKeepsWhatIsBeingWritten(t *testing.T) {
	forget := map[string]func(r *ring){
		"for its age": func(r *ring) { r.trimOlder(1) },
		"for memory":  (*ring).trimAll,
	}
	for name, forget := range forget {
		t.Run(name, func(t *testing.T) {
			r := newRing()
			r.attach()
			for range 6 {
				r.append(keep("a"), &bounds{})
			}
			r.trim(&bounds{})
			r.take()
			r.take()
			r.trim(&bounds{}) // two are written
			takeAll(&r)
			forget(&r)
			if r.acked != 4 {
				t.Errorf("what is kept begins at %d, want 4", r.acked)
			}
			r.putBack(5)
			if got := takeAll(&r); !slices.Equal(got, []uint64{5, 6, 7}) {
				t.Errorf("sequences %v are written, want 5 to 7", got)
			}
			r.detach() // nobody writes any more
			forget(&r)
			if r.acked != 8 {
				t.Errorf("what is kept begins at %d, want 8", r.acked)
			}
		})
	}
}
