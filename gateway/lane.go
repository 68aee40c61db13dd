package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/histogram"
	"github.com/gatehouse-go/gatehouse/gateway/internal/wheel"
)

// A lane is a slice of this process' sessions, an actor with a queue of its
// own: whatever changes who is subscribed to a topic, and whatever is
// published to it, is an entry of one FIFO per topic, and at most one fan-out
// worker runs the lane at a time. Topics are served in turn, so that one with
// 100,000 subscribers does not hold up a guild of ten.
type lane struct {
	// Static after construction.
	id      int
	workers *workers
	now     func() time.Time     // the gateway's
	latency *histogram.Histogram // of events, from their arrival to their last write

	unsent atomic.Int64 // events in the lane's sessions that were not sent yet

	// Guarded by mu.
	mu        sync.Mutex
	topics    map[string]*laneTopic
	ready     topicQueue
	queued    int // events in all FIFOs
	room      chan struct{}
	scheduled bool // handed to the workers, or being run
	wheel     *wheel.Wheel[place]

	// Owned by the worker that runs the lane.
	dirty   []*conn      // to flush, each once
	changes []entry      // taken with a run, to be applied before it
	served  []*published // fanned out, and still to be flushed
}

// laneTopic is one topic's subscribers in one lane.
type laneTopic struct {
	name string

	// Guarded by the lane's mu.
	fifo    []entry
	waiting bool // in the lane's ready queue, or being served
	behind  *laneTopic

	// Owned by the worker that runs the lane.
	subs   []*subscription
	run    []*published // what is being fanned out
	cursor int          // the subscriber whose turn it is
}

// topicQueue holds the topics that have something to do, in turn.
type topicQueue struct{ first, last *laneTopic }

func (q *topicQueue) push(t *laneTopic) {
	if q.first == nil {
		q.first = t
	} else {
		q.last.behind = t
	}
	q.last = t
}

// pop returns nil when there is none.
func (q *topicQueue) pop() *laneTopic {
	t := q.first
	if t != nil {
		q.first, t.behind = t.behind, nil
	}
	return t
}

// subscription is a session's place among a topic's subscribers.
type subscription struct {
	session *Session
	topic   *topic // set by join
	place   int32  // in laneTopic.subs; owned by the worker that runs the lane

	departing bool // its session knows of it until it has left; set before it leaves

	// Guarded by the session's mu.
	cut      bool   // nothing is offered any more
	catching bool   // what is offered up to after has been read from the history
	after    uint64 // the offset behind which it began, or caught up
}

func (sub *subscription) offer(run []*published) *conn {
	c, _ := sub.session.offer(sub, run)
	return c
}

// entry is one step of a topic's history: an event, or a change of who sees
// the next one.
type entry struct {
	event *published
	join  *subscription
	leave *subscription

	freeze *freezing // alone, or with leave: who waits for all before it
}

const (
	laneQueue = 1024 // events that may wait in a lane before publishers do

	sliceSessions = 128 // what a worker does of a lane before the next lane's turn
	sliceTime     = time.Millisecond
	runEvents     = 64        // what is taken of a topic's FIFO at once
	runBytes      = 256 << 10 // likewise

	wheelTick = 250 * time.Millisecond
	wheelSize = 300 // ticks: deadlines further off are looked at on the way
)

func newLane(id int, w *workers, now func() time.Time, latency *histogram.Histogram) *lane {
	return &lane{
		id: id, workers: w, now: now, latency: latency,
		topics: make(map[string]*laneTopic),
		wheel:  wheel.New[place](now(), wheelTick, wheelSize),
	}
}

// enqueue adds an entry to a topic's FIFO. It never blocks: publishers wait
// for room beforehand, in await, without a lock.
func (l *lane) enqueue(topic string, e entry) {
	l.mu.Lock()
	t := l.topics[topic]
	if t == nil {
		t = &laneTopic{name: topic}
		l.topics[topic] = t
	}
	t.fifo = append(t.fifo, e)
	if e.event != nil {
		l.queued++
	}
	if !t.waiting {
		t.waiting = true
		l.ready.push(t)
	}
	start := !l.scheduled
	l.scheduled = true
	l.mu.Unlock()
	if start {
		l.workers.schedule(l)
	}
}

// await returns when the lane has room for an event.
func (l *lane) await(ctx context.Context) error {
	for {
		l.mu.Lock()
		if l.queued < laneQueue {
			l.mu.Unlock()
			return nil
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-l.workers.stopped:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// slice runs the lane for a while and reports whether there is more to do.
func (l *lane) slice(sc *scratch) bool {
	began, budget := time.Now(), sliceSessions
	for budget > 0 && time.Since(began) < sliceTime {
		t := l.next()
		if t == nil {
			break
		}
		budget -= l.serve(t, budget)
		l.requeue(t)
	}
	for i, c := range l.dirty {
		c.flush(sc)
		l.dirty[i] = nil
	}
	l.dirty = l.dirty[:0]
	sc.session = nil // which may have ended by the time of the worker's next write
	l.observe()

	l.mu.Lock()
	defer l.mu.Unlock()
	l.scheduled = l.ready.first != nil
	return l.scheduled
}

// observe notes when the last lane has written an event.
func (l *lane) observe() {
	if len(l.served) == 0 {
		return
	}
	now := l.now().UnixNano()
	for _, p := range l.served {
		if p.lanes.Add(-1) == 0 {
			l.latency.Observe(time.Duration(now - p.at))
		}
	}
	clear(l.served)
	l.served = l.served[:0]
}

// next returns the topic whose turn it is, with a run of its FIFO.
func (l *lane) next() *laneTopic {
	t := l.take()
	if t == nil {
		return nil
	}
	for i, e := range l.changes {
		t.apply(e)
		l.changes[i] = entry{}
	}
	l.changes = l.changes[:0]
	return t
}

func (l *lane) take() *laneTopic {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.ready.pop()
	if t != nil && len(t.run) == 0 {
		l.takeRun(t)
	}
	return t
}

// takeRun takes the changes at the head of a FIFO and the events behind them,
// up to the next change. The lane's mu is held.
func (l *lane) takeRun(t *laneTopic) {
	taken, size := 0, 0
	for _, e := range t.fifo {
		if e.event == nil {
			if len(t.run) > 0 {
				break
			}
			l.changes = append(l.changes, e)
		} else {
			if len(t.run) == runEvents || size > runBytes {
				break
			}
			t.run = append(t.run, e.event)
			size += e.event.size()
		}
		taken++
	}
	l.queued -= len(t.run)
	if l.room != nil && l.queued < laneQueue/2 {
		close(l.room)
		l.room = nil
	}
	rest := copy(t.fifo, t.fifo[taken:])
	clear(t.fifo[rest:])
	t.fifo = t.fifo[:rest]
}

func (t *laneTopic) apply(e entry) {
	if e.join != nil {
		e.join.place = int32(len(t.subs))
		t.subs = append(t.subs, e.join)
		return
	}
	if e.leave == nil {
		e.freeze.passed()
		return
	}
	last := len(t.subs) - 1
	moved := t.subs[last]
	t.subs[e.leave.place] = moved
	moved.place = e.leave.place
	t.subs[last] = nil
	t.subs = t.subs[:last]
	if e.leave.departing {
		e.leave.session.departed(e.leave)
	}
	if e.freeze != nil {
		e.freeze.passed()
	}
}

// serve appends the run to the rings of at most budget subscribers, and
// returns how many that was. A session with something to write is
// flushed once, however many of its topics had something.
func (l *lane) serve(t *laneTopic, budget int) int {
	if len(t.run) == 0 {
		return 0
	}
	to := min(t.cursor+budget, len(t.subs))
	served := to - t.cursor
	for ; t.cursor < to; t.cursor++ {
		if c := t.subs[t.cursor].offer(t.run); c != nil {
			l.dirty = append(l.dirty, c)
		}
	}
	if t.cursor == len(t.subs) {
		l.served = append(l.served, t.run...)
		clear(t.run)
		t.run, t.cursor = t.run[:0], 0
	}
	return max(served, 1)
}

// requeue gives a topic its next turn, or forgets it when nobody is subscribed
// and nothing waits.
func (l *lane) requeue(t *laneTopic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(t.run) > 0 || len(t.fifo) > 0 {
		l.ready.push(t)
		return
	}
	t.waiting = false
	if len(t.subs) == 0 {
		delete(l.topics, t.name)
	}
}
