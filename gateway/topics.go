package gateway

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// topics knows which lanes have subscribers of which topic, and follows at the
// broker what somebody here is subscribed to.
//
// The lock of a topic's stripe is what orders a topic: whoever holds it
// enqueues to the lanes, so that every lane sees a topic's events and changes
// of subscription in the same order.
type topics struct {
	ctx      context.Context // of calls to the broker; ends with the gateway
	lanes    []*lane
	feed     Feed
	calls    goroutines // goroutines that talk to the broker
	seed     maphash.Seed
	stripes  [topicStripes]topicStripe
	advanced atomic.Int64 // when advanceLately asked the broker, Unix nanoseconds
}

const topicStripes = 64

type topicStripe struct {
	mu     sync.Mutex
	topics map[string]*topic
}

// topic is a topic that has subscribers in this process, or is about to.
type topic struct {
	name      string
	users     []int32  // subscribers per lane
	last      Position // up to which everything of the topic was delivered; zero: unknown
	holders   int      // all of them, and who is about to subscribe
	following chan struct{}
	err       error         // of following; read after following is closed
	left      chan struct{} // closed when the broker was told that nobody is left
	before    chan struct{} // the left of the topic's previous life, if any
}

func newTopics(ctx context.Context, lanes []*lane) *topics {
	t := &topics{ctx: ctx, lanes: lanes, seed: maphash.MakeSeed()}
	for i := range t.stripes {
		t.stripes[i].topics = make(map[string]*topic)
	}
	return t
}

func (ts *topics) stripe(name string) *topicStripe {
	return &ts.stripes[maphash.String(ts.seed, name)%topicStripes]
}

// hold has the topic followed at the broker, and keeps it so until release.
func (ts *topics) hold(ctx context.Context, name string) error {
	st := ts.stripe(name)
	st.mu.Lock()
	t := st.topics[name]
	if t == nil || t.holders == 0 {
		fresh := &topic{name: name, users: make([]int32, len(ts.lanes)), following: make(chan struct{}), left: make(chan struct{})}
		if t != nil {
			fresh.before = t.left
		}
		t = fresh
		st.topics[name] = t
		ts.calls.start(func() { ts.follow(t, name) })
	}
	t.holders++
	st.mu.Unlock()

	select {
	case <-t.following:
		if t.err != nil {
			ts.release(name)
		}
		return t.err
	case <-ctx.Done():
		ts.release(name)
		return ctx.Err()
	}
}

func (ts *topics) follow(t *topic, name string) {
	if t.before != nil {
		<-t.before
	}
	at, err := ts.feed.Follow(ts.ctx, name)
	st := ts.stripe(name)
	st.mu.Lock()
	if t.last.Offset <= at.Offset { // a record may have been faster
		t.last = at
	}
	st.mu.Unlock()
	t.err = err
	close(t.following)
}

// release gives back what hold took. It does not wait for the broker.
func (ts *topics) release(name string) {
	st := ts.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()
	t := st.topics[name]
	t.holders--
	if t.holders == 0 {
		ts.calls.start(func() { ts.unfollow(t, name) })
	}
}

// unfollow tells the broker that nobody here is subscribed. Until it knows,
// the topic stays in the map without holders; whoever comes back meanwhile
// waits for that and follows anew.
func (ts *topics) unfollow(t *topic, name string) {
	<-t.following
	ts.feed.Unfollow(ts.ctx, name)
	st := ts.stripe(name)
	st.mu.Lock()
	if st.topics[name] == t {
		delete(st.topics, name)
	}
	st.mu.Unlock()
	close(t.left)
}

// join makes sub one to a topic that is held. Events published after it
// returned are seen.
func (ts *topics) join(sub *subscription, name string) {
	st := ts.stripe(name)
	st.mu.Lock()
	defer st.mu.Unlock()
	l, t := sub.session.lane, st.topics[name]
	sub.topic, sub.after = t, t.last.Offset
	t.users[l.id]++
	l.enqueue(t.name, entry{join: sub})
}

// leave ends a subscription; release is still to be called.
func (ts *topics) leave(sub *subscription) { ts.leaveBy(entry{leave: sub}) }

// freeze ends a subscription likewise and returns the place in the topic where
// it did: f is told when the session has been offered everything before it.
func (ts *topics) freeze(sub *subscription, f *freezing) Position {
	return ts.leaveBy(entry{leave: sub, freeze: f})
}

func (ts *topics) leaveBy(e entry) Position {
	l, t := e.leave.session.lane, e.leave.topic
	st := ts.stripe(t.name)
	st.mu.Lock()
	defer st.mu.Unlock()
	t.users[l.id]--
	l.enqueue(t.name, e)
	return t.last
}

// deliver hands an event to every lane with subscribers, and returns how many.
// It never blocks: the publisher has waited in await.
func (ts *topics) deliver(p *published) int {
	st := ts.stripe(p.Topic)
	st.mu.Lock()
	defer st.mu.Unlock()
	t := st.topics[p.Topic]
	if t == nil {
		return 0
	}
	t.last = p.Position
	lanes := 0
	for _, users := range t.users {
		if users > 0 {
			lanes++
		}
	}
	p.lanes.Store(int32(lanes))
	for i, users := range t.users {
		if users > 0 {
			ts.lanes[i].enqueue(p.Topic, entry{event: p})
		}
	}
	return lanes
}

// await waits until the lanes that have subscribers of a topic have room.
func (ts *topics) await(ctx context.Context, name string) error {
	st := ts.stripe(name)
	for i, l := range ts.lanes {
		st.mu.Lock()
		t := st.topics[name]
		wanted := t != nil && t.users[i] > 0
		st.mu.Unlock()
		if wanted {
			if err := l.await(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// count returns how many topics have a subscriber here.
func (ts *topics) count() int {
	n := 0
	ts.each(func(_ string, t *topic) {
		if t.holders > 0 {
			n++
		}
	})
	return n
}
