package nats

import (
	"context"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// partition is one that this taker has, for as long as the consumer lives that it was given with. It
// does no I/O.
type partition struct {
	// Static.
	number   int
	consumer string // its name, which no other one ever had
	epoch    uint64
	ctx      context.Context // ends with the lease
	stop     context.CancelFunc

	// Owned by pull.
	last   uint64 // the number of the last delivery
	sure   bool   // nothing that was delivered before it is missing
	budget int    // bytes that are asked for at a time

	// Guarded by writing, which is held while the server is asked: Take does that, and may not wait for
	// the end.
	writing  sync.Mutex
	tries    tries  // as written down, or to be
	revision uint64 // of what is written down
	known    bool   // that is

	// Guarded by the queue's mu.
	lost     bool              // somebody else may have it
	leaving  bool              // others should have it: when nothing is out it is released
	high     uint64            // the newest item that came
	given    uint64            // the newest that a Take returned
	ahead    []*entry          // came, and are not taken; in order
	bytes    int               // of ahead
	out      map[uint64]*entry // taken, and nobody has said what became of them
	settling int               // of which somebody has said so, and the server does not know yet
	room     chan struct{}     // ahead has become shorter; one note
}

// entry is an item of a partition, and the Receipt of one that was taken.
type entry struct {
	partition *partition
	seq       uint64 // its message in the stream
	reply     string // where it is acknowledged
	size      int
	item      message.Item
	why       *string // it is to be buried, which did not succeed yet
}

func newPartition(ctx context.Context, number int, consumer string, epoch uint64, budget int) *partition {
	p := &partition{
		number: number, consumer: consumer, epoch: epoch, sure: true, budget: budget,
		out: make(map[uint64]*entry), room: make(chan struct{}, 1),
	}
	p.ctx, p.stop = context.WithCancel(ctx)
	return p
}

// What is to be done with a delivery.
type verdict int

const (
	fresh     verdict = iota // it was added to ahead
	here                     // nothing: it is with us, or with who took it
	forgotten                // acknowledge it: we did, and the server does not know
	unburied                 // bury it, as was tried before
)

// add takes in a delivery, which may be a repeated one: the server delivers again what is not
// acknowledged for a while, and what it forgot that it had delivered. mu is held.
func (p *partition) add(e *entry) (verdict, *entry) {
	if e.seq > p.high {
		p.high = e.seq
		p.ahead = append(p.ahead, e)
		p.bytes += e.size
		return fresh, e
	}
	for _, there := range p.ahead {
		if there.seq == e.seq {
			return here, there
		}
		if there.seq > e.seq {
			break
		}
	}
	there, out := p.out[e.seq]
	switch {
	case !out:
		return forgotten, e
	case there.why != nil:
		return unburied, there
	}
	return here, there
}

// take moves up to so many items from ahead to out. mu is held.
func (p *partition) take(most int) []*entry {
	n := min(most, len(p.ahead))
	taken := p.ahead[:n:n]
	p.ahead = p.ahead[n:]
	for _, e := range taken {
		p.out[e.seq] = e
		p.bytes -= e.size
	}
	note(p.room)
	return taken
}

// untake gives back what the last take took. mu is held.
func (p *partition) untake(taken []*entry) {
	for _, e := range taken {
		delete(p.out, e.seq)
		p.bytes += e.size
	}
	p.ahead = append(taken, p.ahead...)
}

// settle is told that somebody has dealt with an item, and reports whether it was out. mu is held.
func (p *partition) settle(e *entry) bool {
	if p.out[e.seq] != e {
		return false
	}
	delete(p.out, e.seq)
	p.settling++
	return true
}

// drained reports whether the partition can be released. mu is held.
func (p *partition) drained() bool { return len(p.out) == 0 && p.settling == 0 }

// quota is the part of a number that belongs to who has a place, from 0, among so many.
func quota(number, place, among int) int {
	n := number / among
	if place < number%among {
		n++
	}
	return n
}
