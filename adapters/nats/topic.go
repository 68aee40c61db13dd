package nats

import (
	"sync"

	natsgo "github.com/nats-io/nats.go"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// topic is a topic that some feed of this node follows: one subscription, and so one message for an event.
type topic struct {
	subject string // behind the prefix

	wiring sync.Mutex // held while the connection is told; before the broker's mu
	sub    *natsgo.Subscription

	// The broker's mu guards these.
	followers map[*feed]*follower
	last      uint64 // up to which its records were given to the followers
	known     bool   // last is that of this subscription
}

// follower is a feed's place in a topic.
type follower struct {
	ready chan struct{} // closed when Follow has its answer
	err   error         // of that

	// The broker's mu guards these.
	following bool
	after     uint64 // it is given what is behind that
	epoch     uint64
	stash     []gateway.Record // what came before Follow had its answer
}

// offer gives a record to a feed, if it is one that it should have. The broker's mu is held.
func (w *follower) offer(f *feed, rec gateway.Record) {
	if rec.Gap || rec.Position.Epoch != w.epoch || rec.Position.Offset > w.after {
		f.give(rec)
	}
}

// dispatch gives a record of a topic to its followers. The broker's mu is held.
func (t *topic) dispatch(rec gateway.Record) {
	for f, w := range t.followers {
		if !w.following {
			w.stash = append(w.stash, rec)
			continue
		}
		w.offer(f, rec)
	}
}

// wire has the connection be subscribed to a topic if somebody follows it.
func (b *Broker) wire(t *topic) (err error) {
	t.wiring.Lock()
	defer t.wiring.Unlock()
	b.mu.Lock()
	wanted := len(t.followers) > 0
	if !wanted {
		t.known = false
	}
	b.mu.Unlock()
	switch {
	case wanted && t.sub == nil:
		t.sub, err = b.conn.ChanSubscribe(b.sentAt(t.subject), b.arriving)
	case !wanted && t.sub != nil:
		err = t.sub.Unsubscribe()
		t.sub = nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(t.followers) == 0 && t.sub == nil && b.topics[t.subject] == t {
		delete(b.topics, t.subject)
	}
	return err
}
