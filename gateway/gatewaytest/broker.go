package gatewaytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Broker tests a broker: one case for each sentence of its contract. open
// returns one that nobody else uses for each case, and has t.Cleanup close it.
// A broker without history, whose Follow returns the zero Position, is spared
// the cases about positions. Records may take up to ten seconds to arrive.
func Broker(t *testing.T, open func(t *testing.T) gateway.Broker) {
	runKit(t, "broker", brokerCases, open)
}

var brokerCases = []check[gateway.Broker]{
	{"EveryFeed", "Publish hands a record to every feed that follows its topic, the publisher's own included.", everyFeed},
	{"KeepsEverything", "Publish hands a record over: all of its fields, and the bytes of Data.", recordKept},
	{"OtherTopics", "Every record of the topics that the feed follows: of no others.", otherTopics},
	{"SameOrder", "Records of one topic reach every feed in the same order, each once.", sameOrder},
	{"Positions", "Records reach every feed with the position that the broker gave them: one, which counts up within the partition.", positions},
	{"OneAtATime", "deliver is called for one topic never by two goroutines at once.", oneAtATime},
	{"FollowFromNow", "Follow has delivered every record that is published after it returned.", followFromNow},
	{"FollowExactly", "Follow has delivered exactly the records behind the position that it returns.", followExactly},
	{"FollowTwice", "Following twice is following once.", followTwice},
	{"Unfollow", "No record is delivered after Unfollow returned.", unfollow},
	{"UnfollowOne", "Unfollow ends one topic of one feed.", unfollowOne},
	{"FollowAgain", "Follow, after Unfollow, follows from then on.", followAgain},
	{"Close", "deliver is not called after Close returned.", closeFeed},
	{"SinceAll", "Since returns every record that was published before the call, oldest first.", sinceAll},
	{"SinceBehind", "Since returns the records behind a position: it is never part of them.", sinceBehind},
	{"SinceNone", "Since returns the records behind a position: none behind the newest, which is no gap.", sinceNone},
	{"SinceGap", "The error is ErrGap when some are not kept any more: what is returned has no gap.", sinceGap},
	{"SinceEpoch", "The error is ErrGap when the position is of another epoch.", sinceEpoch},
	{"Concurrent", "All methods may be called by many goroutines at once.", brokerConcurrently},
	{"Context", "A context that has ended is an error of Publish and Since.", brokerContext},
}

// watch is a feed that keeps what it is given.
type watch struct {
	gateway.Feed
	mu      sync.Mutex
	got     []gateway.Record
	more    chan struct{} // closed and replaced when something has come
	running sync.Map      // topic → *atomic.Bool: deliver runs for it
	twice   atomic.Bool   // two deliveries of one topic ran at once
	slow    bool
}

func openWatch(ctx context.Context, b gateway.Broker, slow bool, topics ...string) (*watch, error) {
	w := &watch{more: make(chan struct{}), slow: slow}
	var err error
	if w.Feed, err = b.Open(ctx, w.deliver); err != nil {
		return nil, fmt.Errorf("Open: %w", err)
	}
	for _, topic := range topics {
		if _, err := w.Follow(ctx, topic); err != nil {
			return nil, fmt.Errorf("Follow: %w", err)
		}
	}
	return w, nil
}

func (w *watch) deliver(rec gateway.Record) {
	running, _ := w.running.LoadOrStore(rec.Topic, new(atomic.Bool))
	if !running.(*atomic.Bool).CompareAndSwap(false, true) {
		w.twice.Store(true)
	}
	if w.slow {
		<-time.After(time.Millisecond)
	}
	w.mu.Lock()
	w.got = append(w.got, rec)
	close(w.more)
	w.more = make(chan struct{})
	w.mu.Unlock()
	running.(*atomic.Bool).Store(false)
}

func (w *watch) records() []gateway.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

// await waits until n records have come, or for ten seconds.
func (w *watch) await(n int) []gateway.Record {
	timeout := time.After(10 * time.Second)
	for {
		w.mu.Lock()
		got, more := slices.Clone(w.got), w.more
		w.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-more:
		case <-timeout:
			return got
		}
	}
}

// settle gives what should not come a moment to come.
func settle() { <-time.After(20 * time.Millisecond) }

func event(topic string, n int) gateway.Record {
	return gateway.Record{Topic: topic, Type: "T", Data: fmt.Appendf(nil, `{"n":%d}`, n)}
}

func publish(ctx context.Context, b gateway.Broker, topic string, from, to int) error {
	for n := from; n < to; n++ {
		if err := b.Publish(ctx, event(topic, n)); err != nil {
			return fmt.Errorf("Publish: %w", err)
		}
	}
	return nil
}

// list is the data of records, in order.
func list(recs []gateway.Record) string {
	var text bytes.Buffer
	for _, rec := range recs {
		fmt.Fprintf(&text, "%s %s, ", rec.Topic, rec.Data)
	}
	return text.String()
}

func events(topic string, from, to int) string {
	var recs []gateway.Record
	for n := from; n < to; n++ {
		recs = append(recs, event(topic, n))
	}
	return list(recs)
}

// ofTopic leaves out what shares a partition with it.
func ofTopic(topic string, recs []gateway.Record) []gateway.Record {
	return slices.DeleteFunc(slices.Clone(recs), func(r gateway.Record) bool { return r.Topic != topic })
}

func everyFeed(ctx context.Context, b gateway.Broker) error {
	one, e1 := openWatch(ctx, b, false, "a")
	two, e2 := openWatch(ctx, b, false, "a")
	if err := errors.Join(e1, e2, publish(ctx, b, "a", 0, 10)); err != nil {
		return err
	}
	return errors.Join(
		expect("the first feed", list(one.await(10)), events("a", 0, 10)),
		expect("the second feed", list(two.await(10)), events("a", 0, 10)),
	)
}

func recordKept(ctx context.Context, b gateway.Broker) error {
	w, err := openWatch(ctx, b, false, "guild:7/ü \x01")
	rec := gateway.Record{
		Topic: "guild:7/ü \x01", Type: "T", Key: "k\x00é", Intent: 1<<52 | 1, Class: gateway.Conflate,
		Data: []byte(`{"text":"` + string(bytes.Repeat([]byte("né "), 20_000)) + `"}`),
	}
	if err = errors.Join(err, b.Publish(ctx, rec), b.Publish(ctx, event(rec.Topic, 1))); err != nil {
		return err
	}
	got := w.await(2)
	if len(got) != 2 {
		return fmt.Errorf("got %d records of 2", len(got))
	}
	got[0].Position = gateway.Position{}
	return errors.Join(expect("the record", fmt.Sprintf("%+v", got[0]), fmt.Sprintf("%+v", rec)),
		expect("the one without a key", got[1].Key+got[1].Class.String(), "keep"))
}

func otherTopics(ctx context.Context, b gateway.Broker) error {
	w, err := openWatch(ctx, b, false, "a", "b")
	for n := range 5 {
		for _, topic := range []string{"ab", "a*", "a", "A", "a.b", "c"} {
			err = errors.Join(err, b.Publish(ctx, event(topic, n)))
		}
	}
	if err != nil {
		return err
	}
	w.await(5)
	settle()
	return expect("the feed", list(w.records()), events("a", 0, 5))
}

// publishers publishes n records of one topic from each of several goroutines.
func publishers(ctx context.Context, b gateway.Broker, topic string, n int) error {
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = publish(ctx, b, topic, i*n, (i+1)*n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func sameOrder(ctx context.Context, b gateway.Broker) error {
	one, e1 := openWatch(ctx, b, false, "a")
	two, e2 := openWatch(ctx, b, false, "a")
	if err := errors.Join(e1, e2, publishers(ctx, b, "a", 100)); err != nil {
		return err
	}
	first, second := one.await(400), two.await(400)
	settle()
	err := errors.Join(expect("the second feed, beside the first", list(second), list(first)), expect("records of 400", len(one.records()), 400))
	next := make(map[int]int) // by publisher
	for _, rec := range first {
		var n int
		fmt.Sscanf(string(rec.Data), `{"n":%d}`, &n)
		if n%100 != next[n/100] {
			return errors.Join(err, fmt.Errorf("record %d of publisher %d came when %d was due", n%100, n/100, next[n/100]))
		}
		next[n/100]++
	}
	return err
}

// withHistory opens a feed of topic "a" and returns it with where following
// began; nil without an error for a broker without history.
func withHistory(ctx context.Context, b gateway.Broker) (*watch, gateway.Position, error) {
	w, err := openWatch(ctx, b, false)
	if err != nil {
		return nil, gateway.Position{}, err
	}
	at, err := w.Follow(ctx, "a")
	if err != nil || at.IsZero() {
		return nil, at, err
	}
	return w, at, nil
}

func positions(ctx context.Context, b gateway.Broker) error {
	one, at, err := withHistory(ctx, b)
	if one == nil {
		return err
	}
	two, err := openWatch(ctx, b, false, "a")
	if err = errors.Join(err, publish(ctx, b, "a", 0, 20)); err != nil {
		return err
	}
	first, second := one.await(20), two.await(20)
	err = expect("records", fmt.Sprint(len(first), len(second)), "20 20")
	for i := range min(len(first), len(second)) {
		p := first[i].Position
		if p.Partition != at.Partition || p.Epoch != at.Epoch || p.Offset <= at.Offset {
			return errors.Join(err, fmt.Errorf("record %d is at %+v, behind %+v", i, p, at))
		}
		err = errors.Join(err, expect("the second feed's position", second[i].Position, p))
		at = p
	}
	return err
}

func oneAtATime(ctx context.Context, b gateway.Broker) error {
	w, err := openWatch(ctx, b, true, "a")
	if err = errors.Join(err, publishers(ctx, b, "a", 10)); err != nil {
		return err
	}
	w.await(40)
	if w.twice.Load() {
		return errors.New("two ran at once")
	}
	return nil
}

func followFromNow(ctx context.Context, b gateway.Broker) error {
	for n := range 20 {
		w, err := openWatch(ctx, b, false, "a")
		if err = errors.Join(err, publish(ctx, b, "a", n, n+2)); err != nil {
			return err
		}
		if err := expect("the feed", list(w.await(2)), events("a", n, n+2)); err != nil {
			return err
		}
		if err := w.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

func followExactly(ctx context.Context, b gateway.Broker) error {
	all, _, err := withHistory(ctx, b)
	if all == nil {
		return err
	}
	const n = 300
	done := make(chan error, 1)
	go func() { done <- publish(ctx, b, "a", 0, n) }()
	type late struct {
		*watch
		at gateway.Position
	}
	var lates []late
	for i := range 5 {
		all.await(i * n / 6)
		w, err := openWatch(ctx, b, false)
		if err != nil {
			return err
		}
		at, err := w.Follow(ctx, "a")
		if err != nil {
			return err
		}
		lates = append(lates, late{w, at})
	}
	if err := <-done; err != nil {
		return err
	}
	whole := all.await(n)
	for _, l := range lates {
		want := slices.DeleteFunc(slices.Clone(whole), func(r gateway.Record) bool { return r.Position.Offset <= l.at.Offset })
		l.await(len(want))
		err = errors.Join(err, expect(fmt.Sprint("behind ", l.at), list(l.records()), list(want)))
	}
	return err
}

func followTwice(ctx context.Context, b gateway.Broker) error {
	w, err := openWatch(ctx, b, false, "a", "a")
	if err = errors.Join(err, publish(ctx, b, "a", 0, 5)); err != nil {
		return err
	}
	w.await(5)
	settle()
	err = expect("the feed", list(w.records()), events("a", 0, 5))
	if err := errors.Join(err, w.Unfollow(ctx, "a"), publish(ctx, b, "a", 5, 6)); err != nil {
		return err
	}
	settle()
	return expect("after Unfollow, once", len(w.records()), 5)
}

func unfollow(ctx context.Context, b gateway.Broker) error {
	w, e1 := openWatch(ctx, b, false, "a")
	other, e2 := openWatch(ctx, b, false, "a")
	err := errors.Join(e1, e2, publish(ctx, b, "a", 0, 5))
	if err != nil {
		return err
	}
	w.await(5)
	err = errors.Join(w.Unfollow(ctx, "a"), w.Unfollow(ctx, "never followed"), publish(ctx, b, "a", 5, 10))
	other.await(10)
	settle()
	return errors.Join(err, expect("the feed", list(w.records()), events("a", 0, 5)))
}

func unfollowOne(ctx context.Context, b gateway.Broker) error {
	w, e1 := openWatch(ctx, b, false, "a", "b")
	other, e2 := openWatch(ctx, b, false, "a")
	if err := errors.Join(e1, e2, w.Unfollow(ctx, "a"), publish(ctx, b, "a", 0, 3), publish(ctx, b, "b", 0, 3)); err != nil {
		return err
	}
	return errors.Join(expect("its other topic", list(w.await(3)), events("b", 0, 3)),
		expect("the other feed", list(other.await(3)), events("a", 0, 3)))
}

func followAgain(ctx context.Context, b gateway.Broker) error {
	w, err := openWatch(ctx, b, false, "a")
	if err != nil {
		return err
	}
	err = errors.Join(w.Unfollow(ctx, "a"), publish(ctx, b, "a", 0, 3))
	_, again := w.Follow(ctx, "a")
	if err = errors.Join(err, again, publish(ctx, b, "a", 3, 6)); err != nil {
		return err
	}
	w.await(3)
	settle()
	return expect("the feed", list(w.records()), events("a", 3, 6))
}

func closeFeed(ctx context.Context, b gateway.Broker) error {
	w, e1 := openWatch(ctx, b, false, "a")
	other, e2 := openWatch(ctx, b, false, "a")
	if err := errors.Join(e1, e2, publish(ctx, b, "a", 0, 2)); err != nil {
		return err
	}
	w.await(2)
	if err := errors.Join(w.Close(ctx), publish(ctx, b, "a", 2, 4)); err != nil {
		return err
	}
	err := expect("the other feed", list(other.await(4)), events("a", 0, 4))
	settle()
	return errors.Join(err, expect("the closed feed", list(w.records()), events("a", 0, 2)))
}

func sinceAll(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	for n := range 20 {
		if err := publish(ctx, b, "a", n, n+1); err != nil {
			return err
		}
		got, err := b.Since(ctx, at)
		if err := errors.Join(err, expect("Since", list(ofTopic("a", got)), events("a", 0, n+1))); err != nil {
			return err
		}
		for i, rec := range w.await(n + 1) {
			if err := expect("the position in Since", ofTopic("a", got)[i].Position, rec.Position); err != nil {
				return err
			}
		}
	}
	return nil
}

func sinceBehind(ctx context.Context, b gateway.Broker) error {
	w, _, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	if err := publish(ctx, b, "a", 0, 10); err != nil {
		return err
	}
	for i, rec := range w.await(10) {
		got, e := b.Since(ctx, rec.Position)
		err = errors.Join(err, e, expect(fmt.Sprint("behind record ", i), list(ofTopic("a", got)), events("a", i+1, 10)))
	}
	return err
}

func sinceNone(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	none, err := b.Since(ctx, at)
	err = errors.Join(err, expect("before anything was published", list(none), ""), publish(ctx, b, "a", 0, 3))
	if got := w.await(3); len(got) == 3 {
		none, e := b.Since(ctx, got[2].Position)
		err = errors.Join(err, e, expect("behind the newest", list(none), ""))
	}
	return err
}

func sinceGap(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	const n = 3000
	for to := 500; to <= n; to += 500 {
		if err := publish(ctx, b, "a", to-500, to); err != nil {
			return err
		}
		got, err := b.Since(ctx, at)
		if errors.Is(err, gateway.ErrGap) {
			continue // it keeps fewer
		}
		if err := errors.Join(err, expect("Since", list(ofTopic("a", got)), events("a", 0, to))); err != nil {
			return err
		}
	}
	whole := w.await(n)
	for _, i := range []int{0, 1, n / 2, n - 100, n - 2} { // what is kept may begin anywhere
		got, err := b.Since(ctx, whole[i].Position)
		if errors.Is(err, gateway.ErrGap) {
			continue
		}
		if err := errors.Join(err, expect("Since", list(ofTopic("a", got)), events("a", i+1, n))); err != nil {
			return err
		}
	}
	return nil
}

func sinceEpoch(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	err = publish(ctx, b, "a", 0, 3)
	for _, other := range []uint64{at.Epoch + 1, at.Epoch - 1} {
		from := gateway.Position{Partition: at.Partition, Epoch: other, Offset: at.Offset}
		if from.Epoch == 0 {
			continue // that is no place at all
		}
		if got, e := b.Since(ctx, from); !errors.Is(e, gateway.ErrGap) {
			err = errors.Join(err, fmt.Errorf("Since(%+v): %d records, %v, want ErrGap", from, len(got), e))
		}
	}
	return err
}

func brokerConcurrently(ctx context.Context, b gateway.Broker) error {
	steady, err := openWatch(ctx, b, false, "a")
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			own := fmt.Sprint("own", i)
			for n := range 20 {
				w, err := openWatch(ctx, b, false, own, "a")
				if err != nil {
					errs[i] = err
					return
				}
				at, e1 := w.Follow(ctx, "a")
				errs[i] = errors.Join(errs[i], e1, publish(ctx, b, own, n, n+1), publish(ctx, b, "a", n, n+1))
				if !at.IsZero() {
					if _, err := b.Since(ctx, at); err != nil && !errors.Is(err, gateway.ErrGap) {
						errs[i] = errors.Join(errs[i], err)
					}
				}
				errs[i] = errors.Join(errs[i], w.Unfollow(ctx, "a"))
				w.await(1)
				errs[i] = errors.Join(errs[i], w.Close(ctx), expect("its own topic", list(ofTopic(own, w.records())), events(own, n, n+1)))
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), expect("what came meanwhile", len(steady.await(80)), 80))
}

func brokerContext(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Publish(ended, event("a", 0)); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Publish returned %v", err)
	}
	if w == nil {
		return nil
	}
	if _, err := b.Since(ended, at); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Since returned %v", err)
	}
	return nil
}
