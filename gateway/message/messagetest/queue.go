package messagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Queues is one queue, empty to begin with, and its takers. Only the goroutine of the case calls
// Taker and Kill.
type Queues struct {
	// Taker returns another taker of the queue. It ends by t.Cleanup, if it was not killed.
	Taker func(t testing.TB) message.Queue

	// Kill has a taker die, without saying so to anybody if that can be done; else it closes
	// it. No method of the taker is running then.
	Kill func(q message.Queue)

	// Patience is how long it takes at most until what can be taken comes to a taker that
	// waits, also when the one who had it has just died or others have come; 0: 30 s. The
	// cases themselves hold what they have taken for less than a second, and the time that
	// their own calls take: who takes it away sooner from a taker that lives breaks the contract.
	Patience time.Duration
}

// Queue tests a queue. open returns a new one, with no takers yet, for each case.
func Queue(t *testing.T, open func(t testing.TB) Queues) {
	runKit(t, "queue", queueCases, func(t testing.TB) *crew { return newCrew(t, open(t)) })
}

var queueCases = []check[*crew]{
	{"PutKeepsEverything", "Put adds items: Take returns their Key, ID and Data.", putKeepsEverything},
	{"PutOrder", "Put adds items behind those that are there. A batch of one key stays in order.", putOrder},
	{"PutByMany", "Put may be called by many goroutines at once, and by many takers.", putByMany},
	{"PutSameID", "An ID may be empty, and names an item among those of its key: other items with it are other items.", putSameID},
	{"PutterDies", "When Put returns nil, items are kept until they are acknowledged or buried.", putterDies},
	{"Nothing", "Put, Ack and Bury of no items do nothing.", nothing},
	{"TakeAtMost", "Take returns at least one item and at most max.", takeAtMost},
	{"TakeWaits", "Take waits for the first item.", takeWaits},
	{"TakeWaitsForOne", "Take waits for the first item, not for more.", takeWaitsForOne},
	{"TakeNext", "Take returns the oldest items that nobody has taken: also while the taker has others.", takeNext},
	{"TakeAfterError", "What a Take took that failed, it has given back, or the next one returns it.", takeAfterError},
	{"KeyOrder", "The items of one key come in the order in which they were put.", keyOrder},
	{"KeyOfOneTaker", "As long as one of the items of a key is with a taker, no other taker gets one of that key.", keyOfOneTaker},
	{"DeadTaker", "When a taker dies, what it had taken and not acknowledged is taken again, by somebody, in order, before what is behind it.", deadTaker},
	{"DeadWhileWaiting", "When a taker dies, what it had is taken again: also by one who waits already.", deadWhileWaiting},
	{"Tries", "Tries is how often an item was taken, this time included.", tries},
	{"Epoch", "Epoch differs from that of an earlier item of the key when another taker may have had some in between.", epoch},
	{"Ack", "Items that were acknowledged are not taken again.", ack},
	{"AckInAnyOrder", "What a dead taker had not acknowledged is taken again: no less, and no more.", ackInAnyOrder},
	{"AckLate", "Ack may be late, when another taker has got the items meanwhile: these are still that one's.", ackLate},
	{"Bury", "Items that are buried are acknowledged, and kept among the dead.", bury},
	{"Dead", "Dead returns items that were buried, with Why, and Data and Key as they were put.", dead},
	{"DeadOrder", "Dead returns items oldest first, at most max. They stay.", deadOrder},
	{"Concurrent", "The methods of a taker may be called by many goroutines at once, Take by one at a time.", queueConcurrent},
	{"ManyKeys", "Items of however many keys are held, each in its order.", manyKeys},
	{"TakersComeAndGo", "Whoever comes and dies, each item is dealt with, in the order of its key, and what was acknowledged is not taken again.", takersComeAndGo},
	{"Context", "Each method returns an error that wraps ctx.Err() when ctx has ended.", queueContext},
}

// crew is the takers of a queue in one case.
type crew struct {
	Queues
	t testing.TB
}

func newCrew(t testing.TB, q Queues) *crew {
	if q.Patience <= 0 {
		q.Patience = 30 * time.Second
	}
	return &crew{q, t}
}

func (c *crew) taker() message.Queue { return c.Taker(c.t) }

// take takes n items, in as many calls as that needs.
func (c *crew) take(ctx context.Context, q message.Queue, n int) ([]message.Item, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	var all []message.Item
	for len(all) < n {
		items, err := q.Take(ctx, n-len(all))
		if err != nil {
			return all, fmt.Errorf("take, with %d of %d items: %w", len(all), n, err)
		}
		if err := expectCount(len(items), n-len(all)); err != nil {
			return all, err
		}
		all = append(all, items...)
	}
	return all, nil
}

func expectCount(got, most int) error {
	if got < 1 || got > most {
		return fmt.Errorf("a Take of at most %d returned %d items", most, got)
	}
	return nil
}

// work has takers take, note and acknowledge items, at most some at a time, until all that the
// ledger expects has been acknowledged, or stop is called.
func (c *crew) work(ctx context.Context, l *ledger, most int, takers ...message.Queue) (wait func() error, stop func()) {
	working, cancel := context.WithTimeout(ctx, c.Patience)
	var all sync.WaitGroup
	for _, q := range takers {
		all.Go(func() {
			for working.Err() == nil {
				items, err := q.Take(working, most)
				if err != nil {
					if working.Err() == nil {
						l.problem(during("Take", err))
					}
					return
				}
				l.took(q, items)
				if err := errors.Join(expectCount(len(items), most), l.ack(ctx, q, items...)); err != nil {
					l.problem(err)
					return
				}
			}
		})
	}
	stop = func() { cancel(); all.Wait() }
	wait = func() error {
		select {
		case <-l.done():
		case <-working.Done():
		}
		stop()
		return l.verdict()
	}
	return wait, stop
}

func queueContext(ctx context.Context, c *crew) error {
	q := c.taker()
	e1 := q.Put(ctx, item("k", 0), item("k", 1), item("k", 2), item("k", 3)) // so that nobody waits
	items, e2 := c.take(ctx, q, 1)
	err := errors.Join(e1, e2)
	for want, ctx := range over(ctx) {
		_, e1 := q.Take(ctx, 1)
		_, e2 := q.Dead(ctx, 1)
		err = errors.Join(err, wanted("Put", q.Put(ctx, item("k", 4)), want), wanted("Take", e1, want), wanted("Ack", q.Ack(ctx, items...), want),
			wanted("Bury", q.Bury(ctx, "why", items...), want), wanted("Dead", e2, want))
	}
	return err
}
