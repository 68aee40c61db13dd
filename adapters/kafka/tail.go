package kafka

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tail is the end of a partition, which a node reads while it follows one of its topics, and for a
// minute more.
type tail struct {
	broker *Broker
	number uint32
	turn   chan struct{} // has an entry of who begins, mends or ends the reading; taken before mu

	mu        sync.Mutex // held while a feed is given a record, never while a client is asked
	followers map[string][]*feed
	idle      time.Time // since when it has none
	joining   int       // who is about to follow
	reading   bool      // begins and ends with the turn
	mending   bool
	next      place         // everything before it was delivered
	lost      bool          // followers were told so, and have been given nothing since
	told      int32         // what was lost before this epoch of leaders they know of
	began     int64         // what is before it is read for its ids alone
	recent    recent        // ids of what came last
	sent      int64         // the offset behind the newest record of which this node's Publish returned
	moved     chan struct{} // closed and replaced when next is another one
}

func newTail(b *Broker, number uint32) *tail {
	return &tail{
		broker: b, number: number, turn: make(chan struct{}, 1),
		followers: make(map[string][]*feed), moved: make(chan struct{}),
	}
}

// at names the tail's partition to a client.
func at[T any](t *tail, what T) map[string]map[int32]T {
	return map[string]map[int32]T{t.broker.opts.Topic: {int32(t.number): what}}
}

func (t *tail) follow(ctx context.Context, f *feed, topic string) (gateway.Position, error) {
	t.mu.Lock()
	if slices.Contains(t.followers[topic], f) {
		defer t.mu.Unlock()
		return t.broker.position(t.number, t.next), nil
	}
	t.mu.Unlock()
	if err := t.read(ctx); err != nil {
		return gateway.Position{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.joining--
	// What this node has published itself is not delivered to who follows afterwards.
	for sent := t.sent; t.reading && t.next.offset < min(sent, t.sent); {
		if err := t.wait(ctx); err != nil {
			return gateway.Position{}, err
		}
	}
	if !t.reading {
		return gateway.Position{}, errAnew
	}
	return t.join(topic, f)
}

// wait waits until next is another place. mu is held, but not meanwhile.
func (t *tail) wait(ctx context.Context) error {
	moved := t.moved
	t.joining++
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		t.joining--
	}()
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.broker.base.Done():
		return gateway.ErrClosed
	}
}

func (t *tail) enter(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.broker.base.Done():
		return gateway.ErrClosed
	}
}

// read has the partition read from its end on, if it is not being read. Afterwards its caller is joining.
func (t *tail) read(ctx context.Context) error {
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer func() { <-t.turn }()
	t.mu.Lock()
	reading := t.reading
	if reading {
		t.joining++
	}
	t.mu.Unlock()
	if reading {
		return nil
	}
	start, end, err := t.broker.bounds(ctx, t.number)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.joining++
	t.reading, t.next, t.lost, t.told, t.idle, t.sent = true, end, false, end.epoch, time.Now(), min(t.sent, end.offset)
	t.began, t.recent = end.offset, recent{}
	t.mu.Unlock()
	from := max(start, end.offset-recentRecords) // for their ids
	t.broker.reader.AddConsumePartitions(at(t, kgo.NewOffset().At(from).WithEpoch(end.epoch)))
	return nil
}

// tidy ends the reading of a partition that nobody has followed for so long.
func (t *tail) tidy(after time.Duration) {
	select {
	case t.turn <- struct{}{}:
	default:
		return // somebody needs it
	}
	defer func() { <-t.turn }()
	t.mu.Lock()
	idle := t.reading && len(t.followers)+t.joining == 0 && time.Since(t.idle) >= after
	if idle {
		t.reading = false
	}
	t.mu.Unlock()
	if idle {
		t.broker.reader.RemoveConsumePartitions(map[string][]int32{t.broker.opts.Topic: {int32(t.number)}})
	}
}

// take delivers records that were fetched.
func (t *tail) take(records []*kgo.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range records {
		if at := (place{r.LeaderEpoch, r.Offset}); !t.reading {
			continue
		} else if !t.next.before(at) {
			if r.Offset < t.began { // else it may be of an end that was lost
				t.recent.repeats(r)
			}
			continue
		} else if at.offset != t.next.offset {
			t.lose(at, "records are missing")
		}
		if t.lost {
			t.lost, t.told = false, r.LeaderEpoch
		}
		t.move(place{r.LeaderEpoch, r.Offset + 1})
		repeats := t.recent.repeats(r)
		if isCut(r.Value) && t.told < r.LeaderEpoch {
			t.lose(t.next, "a leader lacked what was kept")
		}
		if repeats || isCut(r.Value) {
			continue
		}
		rec, ok := decodeRecord(r.Value)
		if !ok {
			t.lose(t.next, "a record cannot be read")
			continue
		}
		rec.Position = t.broker.position(t.number, t.next)
		for _, f := range t.followers[rec.Topic] {
			f.deliver(rec)
		}
	}
}

// move says what is due next. mu is held.
func (t *tail) move(to place) {
	t.next = place{max(t.next.epoch, to.epoch), to.offset}
	close(t.moved)
	t.moved = make(chan struct{})
}

// lose tells all followers that something is missing before a place. mu is held.
func (t *tail) lose(to place, why string) {
	b := t.broker
	b.opts.Logger.Warn("kafka: events were lost", "topic", b.opts.Topic, "partition", t.number, "why", why,
		"from", t.next.offset, "to", to.offset)
	t.move(to)
	t.lost = true
	t.recent = recent{} // what was lost may be published again
	t.sent = min(t.sent, to.offset)
	for topic, feeds := range t.followers {
		for _, f := range feeds {
			f.deliver(gateway.Record{Topic: topic, Gap: true, Position: b.position(t.number, t.next)})
		}
	}
}

// over tells all followers that nothing comes any more.
func (t *tail) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reading {
		t.lose(t.next, errAnew.Error())
		t.reading = false
	}
}

// published notes up to where this node has published.
func (t *tail) published(behind int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = max(t.sent, behind)
}

// drop removes a feed from a topic's followers. mu is held.
func (t *tail) drop(topic string, f *feed) {
	feeds, n := t.followers[topic], 0
	if n = slices.Index(feeds, f); n < 0 {
		return
	}
	if feeds = slices.Delete(feeds, n, n+1); len(feeds) > 0 {
		t.followers[topic] = feeds
		return
	}
	delete(t.followers, topic)
	if len(t.followers) == 0 {
		t.idle = time.Now()
	}
}
