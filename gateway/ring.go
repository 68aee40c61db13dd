package gateway

import "errors"

// ring is a session's outbound queue and its replay buffer at once: references
// to shared events in the order in which they were appended, under four marks
//
//	acked ≤ next ≤ numbered ≤ tail
//
// counted in sequences. Events in [acked, numbered) have been given their
// sequence and wait to be acknowledged; events in [numbered, tail) have not.
// next is the sequence that the present connection is sent next: a resume sets
// it back and touches nothing else. A sequence follows from an event's place,
// so no entry stores one.
//
// It is pure: it has no lock, no clock and does no I/O. The session's lock
// guards it, and the time is an argument. The zero value is not ready; see
// [newRing].
type ring struct {
	slots *slots // nil while nothing is held

	// Places count up for ever; place p lies in slots[p & mask].
	// [head, sent) is numbered, [sent, unsent) is squeezed-out space that has
	// not been reused yet, [unsent, end) is not numbered and may hold tombstones.
	head, sent, unsent, end uint64

	acked uint64 // the sequence of the event at head
	next  uint64 // the sequence to write next on this connection

	// What is before it has been written on this connection, or was seen on an
	// earlier one; from there to next may still be put back.
	written uint64

	keptBytes   int // in [head, sent)
	unsentBytes int // in [unsent, end)
	unsentLive  int // entries in [unsent, end) that are no tombstones

	// [unsent, replayEnd) was there when the connection attached and does not
	// count against the unsent bound.
	replayEnd   uint64
	exemptBytes int
	exemptLive  int

	attached  bool
	replaying bool

	// A resume is answered where resumedAt is next: the tail as of the resume,
	// known once the replay has come to it. owes says that it has not been written
	// since.
	resumedAt uint64
	owes      bool

	byKey map[conflateKey]uint64 // places of unnumbered conflate events, when there are many
}

type conflateKey struct{ topic, key string }

// firstSequence is what the first event of a session is given: READY is 1 and is not kept.
const firstSequence = 2

// bounds are a ring's limits. Zero in a field means no such limit.
type bounds struct {
	unsentEvents, unsentBytes     int // attached: over it, the consumer is slow
	keptEvents, keptBytes         int // numbered, unacknowledged: over it, the oldest is forgotten
	detachedEvents, detachedBytes int // nobody reads: over it, the session ends
}

// outcome says what append did with an event.
type outcome uint8

const (
	queued     outcome = iota // appended
	conflated                 // took the place of an older one with its key
	refused                   // volatile, and this session is not keeping up: not queued
	overflowed                // appended, and the session is over its bound
)

var errFutureSequence = errors.New("gateway: sequence was never sent")

func newRing() ring {
	return ring{acked: firstSequence, next: firstSequence, written: firstSequence}
}

func (r *ring) at(place uint64) **published {
	return &r.slots.entries[place&uint64(len(r.slots.entries)-1)]
}

// numbered is the sequence that the next unnumbered event will be given.
func (r *ring) numbered() uint64 { return r.acked + (r.sent - r.head) }

// tail is numbered plus all that waits for its number.
func (r *ring) tail() uint64 { return r.numbered() + uint64(r.unsentLive) }

// append queues an event by the rules of its class.
func (r *ring) append(p *published, b *bounds) outcome {
	if p.Class == Volatile && !r.takesVolatile(b) {
		return refused
	}
	if p.Class == Conflate && r.replace(p) {
		if r.over(b) { // it may be larger
			return overflowed
		}
		return conflated
	}
	r.push(p)
	if r.byKey != nil && p.Class == Conflate {
		r.byKey[conflateKey{p.Topic, p.Key}] = r.end - 1
	}
	r.unsentLive++
	r.unsentBytes += p.size()
	if r.over(b) {
		return overflowed
	}
	return queued
}

func (r *ring) takesVolatile(b *bounds) bool {
	if !r.attached || r.replaying {
		return false
	}
	return !above(r.unsentLive, b.unsentEvents/4) && !above(r.unsentBytes, b.unsentBytes/4)
}

func (r *ring) over(b *bounds) bool {
	if !r.attached {
		held := int(r.sent-r.head) + r.unsentLive
		return above(held, b.detachedEvents) || above(r.keptBytes+r.unsentBytes, b.detachedBytes)
	}
	return above(r.unsentLive-r.exemptLive, b.unsentEvents) || above(r.unsentBytes-r.exemptBytes, b.unsentBytes)
}

func above(n, limit int) bool { return limit > 0 && n > limit }

// oldest is when the oldest event that is held reached this node, in Unix
// nanoseconds; 0 if none is.
func (r *ring) oldest() int64 {
	for place := r.head; place != r.end; place++ {
		if p := *r.at(place); p != nil {
			return p.at
		}
	}
	return 0
}

// oldestUnsent is likewise of those that have not been given a sequence.
func (r *ring) oldestUnsent() int64 {
	for place := r.unsent; place != r.end; place++ {
		if p := *r.at(place); p != nil {
			return p.at
		}
	}
	return 0
}

// forgettable is the sequence up to which events may be forgotten at any time.
func (r *ring) forgettable() uint64 {
	if !r.attached {
		return r.next
	}
	return r.written
}

// trimOlder forgets what has been written and reached this node before then.
func (r *ring) trimOlder(then int64) {
	for r.acked < r.forgettable() && (*r.at(r.head)).at < then {
		r.drop()
	}
	r.shrink()
}

// conflateIndexAbove is how many unnumbered events are searched one by one
// before an index by key is worth its memory.
const conflateIndexAbove = 16

// replace puts p in the place of the unnumbered event with the same topic and
// key, if there is one.
func (r *ring) replace(p *published) bool {
	place, ok := r.find(p.Topic, p.Key)
	if !ok {
		return false
	}
	old := *r.at(place)
	grown := p.size() - old.size()
	p.hold()
	*r.at(place) = p
	old.letGo()
	r.unsentBytes += grown
	if place < r.replayEnd {
		r.exemptBytes += grown
	}
	return true
}

func (r *ring) find(topic, key string) (uint64, bool) {
	if r.byKey == nil && r.unsentLive > conflateIndexAbove {
		r.byKey = make(map[conflateKey]uint64)
		for place := r.unsent; place != r.end; place++ {
			if p := *r.at(place); p != nil && p.Class == Conflate {
				r.byKey[conflateKey{p.Topic, p.Key}] = place
			}
		}
	}
	if r.byKey != nil {
		place, ok := r.byKey[conflateKey{topic, key}]
		return place, ok
	}
	for place := r.unsent; place != r.end; place++ {
		if p := *r.at(place); p != nil && p.Class == Conflate && p.Key == key && p.Topic == topic {
			return place, true
		}
	}
	return 0, false
}

// take returns the next event to write on this connection and its sequence,
// giving it one if it has none. The event counts as sent from then on,
// whatever becomes of the write. While replaying it stops, once, where the
// resume's tail was, so that the caller can say so; see caughtUp.
func (r *ring) take() (uint64, *published, bool) {
	if r.owes && r.next >= r.resumedAt {
		return 0, nil, false
	}
	if r.next < r.numbered() {
		p := *r.at(r.head + (r.next - r.acked))
		r.next++
		return r.next - 1, p, true
	}
	for r.unsent != r.end && !(r.replaying && r.unsent >= r.replayEnd) {
		slot := r.at(r.unsent)
		p := *slot
		*slot = nil
		r.unsent++
		if p == nil {
			continue
		}
		*r.at(r.sent) = p
		r.sent++
		r.countNumbered(p, r.unsent <= r.replayEnd)
		r.next++
		return r.next - 1, p, true
	}
	if r.unsent == r.end {
		r.end, r.unsent = r.sent, r.sent
		r.replayEnd = min(r.replayEnd, r.end)
		r.byKey = nil
	}
	return 0, nil, false
}

// putBack has everything from seq on written again: it was taken for this
// connection, whose socket did not take it. What is acknowledged stays so.
func (r *ring) putBack(seq uint64) { r.next = max(min(r.next, seq), r.acked) }

// putBackResumed has the answer to the resume written again, likewise.
func (r *ring) putBackResumed() { r.owes = true }

// countNumbered counts an event that has just been given its sequence.
func (r *ring) countNumbered(p *published, exempt bool) {
	r.unsentLive--
	r.unsentBytes -= p.size()
	r.keptBytes += p.size()
	if exempt {
		r.exemptLive--
		r.exemptBytes -= p.size()
	}
	if r.byKey != nil && p.Class == Conflate {
		delete(r.byKey, conflateKey{p.Topic, p.Key})
	}
}

// caughtUp reports whether the answer to a resume is to be written now: when
// everything that was there at the resume has been taken. It reports true once
// per resume, and once more after each putBackResumed.
func (r *ring) caughtUp() bool {
	switch {
	case r.owes:
		if r.next < r.resumedAt {
			return false
		}
		r.owes = false
	case !r.replaying || r.next < r.numbered() || (r.unsent != r.end && r.unsent < r.replayEnd):
		return false
	default:
		r.replaying, r.resumedAt = false, r.next
		r.exemptLive, r.exemptBytes, r.replayEnd = 0, 0, 0
	}
	return true
}

// answered reports whether no answer to a resume is due.
func (r *ring) answered() bool { return !r.replaying && !r.owes }

// pending reports whether there is something to write.
func (r *ring) pending() bool {
	return r.next < r.numbered() || r.unsentLive > 0 || !r.answered()
}

// trim forgets the oldest events that have been written while more are kept
// than allowed: only the resume window shrinks. It is called when all that was
// taken has been written, or put back.
func (r *ring) trim(b *bounds) {
	r.wrote()
	for r.acked < r.next && (above(int(r.sent-r.head), b.keptEvents) || above(r.keptBytes, b.keptBytes)) {
		r.drop()
	}
	r.shrink()
}

// wrote says that all that was taken has been written.
func (r *ring) wrote() { r.written = r.next }

// trimAll forgets everything that has been written.
func (r *ring) trimAll() {
	for r.acked < r.forgettable() {
		r.drop()
	}
	r.shrink()
}

// halfKept reports whether more than half of what may be kept is.
func (r *ring) halfKept(b *bounds) bool {
	return above(int(r.sent-r.head), b.keptEvents/2) || above(r.keptBytes, b.keptBytes/2)
}

// halfUnsent reports whether more than half of what may be unsent while
// somebody reads is.
func (r *ring) halfUnsent(b *bounds) bool {
	return r.attached && (above(r.unsentLive-r.exemptLive, b.unsentEvents/2) || above(r.unsentBytes-r.exemptBytes, b.unsentBytes/2))
}

func (r *ring) drop() {
	slot := r.at(r.head)
	r.keptBytes -= (*slot).size()
	(*slot).letGo()
	*slot = nil
	r.head++
	r.acked++
}

// ack forgets everything up to and with seq. Below what is acknowledged it
// does nothing; above what was sent it is an error.
func (r *ring) ack(seq uint64) error {
	if seq >= r.numbered() {
		return errFutureSequence
	}
	for r.acked <= seq {
		r.drop()
	}
	r.next, r.written = max(r.next, r.acked), max(r.written, r.acked)
	r.shrink()
	return nil
}

// resumable reports whether a connection that has seen everything up to and
// with seq can be sent the rest in full: that nothing of it was forgotten, and
// seq was sent. Zero means READY.
func (r *ring) resumable(seq uint64) bool {
	seq = max(seq, firstSequence-1)
	return seq+1 >= r.acked && seq+1 <= r.numbered()
}

// resume attaches a new connection that has seen everything up to and with
// seq. It reports false, and changes nothing, when that is not resumable.
func (r *ring) resume(seq uint64) bool {
	if !r.resumable(seq) {
		return false
	}
	seq = max(seq, firstSequence-1)
	r.next, r.written = seq+1, seq+1
	r.attached, r.replaying, r.owes = true, true, false
	r.exempt()
	return true
}

// attach gives the ring its first connection. What was queued before does not
// count against the unsent bound: the connection could not have read it.
func (r *ring) attach() {
	r.attached = true
	r.exempt()
}

// exempt has what is not numbered now not count as unsent.
func (r *ring) exempt() {
	r.replayEnd = r.end
	r.exemptLive, r.exemptBytes = r.unsentLive, r.unsentBytes
}

// detach leaves the ring without a reader.
func (r *ring) detach() {
	r.attached, r.replaying, r.owes = false, false, false
	r.exemptLive, r.exemptBytes, r.replayEnd = 0, 0, 0
}

// purge removes the unnumbered events of a topic, leaving tombstones that are
// squeezed out when numbers are given.
func (r *ring) purge(topic string) {
	for place := r.unsent; place != r.end; place++ {
		slot := r.at(place)
		p := *slot
		if p == nil || p.Topic != topic {
			continue
		}
		*slot = nil
		p.letGo()
		r.unsentLive--
		r.unsentBytes -= p.size()
		if place < r.replayEnd {
			r.exemptLive--
			r.exemptBytes -= p.size()
		}
		if r.byKey != nil && p.Class == Conflate {
			delete(r.byKey, conflateKey{p.Topic, p.Key})
		}
	}
}

// release gives the memory back. The ring may only be released again afterwards.
func (r *ring) release() {
	for place := r.head; r.slots != nil && place != r.end; place++ {
		if p := *r.at(place); p != nil {
			p.letGo()
			*r.at(place) = nil
		}
	}
	r.slots.free()
	*r = ring{}
}
