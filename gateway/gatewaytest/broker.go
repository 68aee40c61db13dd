package gatewaytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

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
	{"RetriedOnce", "A record whose ID one of the newest of its topic has is not published again, and that is no error.", retriedOnce},
	{"RetriedElsewhere", "Records of other topics, and without an ID, are others.", retriedElsewhere},
	{"Concurrent", "All methods may be called by many goroutines at once.", brokerConcurrently},
	{"Context", "A context that has ended is an error of Publish and Since.", brokerContext},
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
