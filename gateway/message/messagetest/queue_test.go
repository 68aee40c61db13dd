package messagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func memoryQueues(testing.TB) Queues {
	first := message.NewMemoryQueue()
	return Queues{
		Taker: func(testing.TB) message.Queue { return first.Another() },
		Kill:  func(q message.Queue) { q.(*message.MemoryQueue).Close() },
	}
}

func TestMemoryQueue(t *testing.T) { Queue(t, memoryQueues) }

// brokenQueue is a taker for which one sentence of the contract does not hold. What is not set is
// as it should be.
type brokenQueue struct {
	*message.MemoryQueue
	put  func(ctx context.Context, items []message.Item) error
	take func(ctx context.Context, max int) ([]message.Item, error)
	ack  func(ctx context.Context, items []message.Item) error
	bury func(ctx context.Context, why string, items []message.Item) error
	dead func(ctx context.Context, max int) ([]message.Item, error)
	kill func()
}

func (b *brokenQueue) Put(ctx context.Context, items ...message.Item) error {
	if b.put != nil {
		return b.put(ctx, items)
	}
	return b.MemoryQueue.Put(ctx, items...)
}

func (b *brokenQueue) Take(ctx context.Context, max int) ([]message.Item, error) {
	if b.take != nil {
		return b.take(ctx, max)
	}
	return b.MemoryQueue.Take(ctx, max)
}

func (b *brokenQueue) Ack(ctx context.Context, items ...message.Item) error {
	if b.ack != nil {
		return b.ack(ctx, items)
	}
	return b.MemoryQueue.Ack(ctx, items...)
}

func (b *brokenQueue) Bury(ctx context.Context, why string, items ...message.Item) error {
	if b.bury != nil {
		return b.bury(ctx, why, items)
	}
	return b.MemoryQueue.Bury(ctx, why, items...)
}

func (b *brokenQueue) Dead(ctx context.Context, max int) ([]message.Item, error) {
	if b.dead != nil {
		return b.dead(ctx, max)
	}
	return b.MemoryQueue.Dead(ctx, max)
}

// shared is what the takers of one broken queue have in common.
type shared struct {
	mu    sync.Mutex
	items map[string]message.Item
	dead  []message.Item
	list  []func()
	n     int
	busy  busy
}

// brokeQueue opens a queue each of whose takers is broken.
func brokeQueue(how func(q *message.MemoryQueue, b *brokenQueue, s *shared)) func() *crew {
	return func() *crew {
		first := message.NewMemoryQueue()
		s := &shared{items: make(map[string]message.Item), busy: newBusy()}
		return newCrew(nil, Queues{
			Taker: func(testing.TB) message.Queue {
				b := &brokenQueue{MemoryQueue: first.Another()}
				how(b.MemoryQueue, b, s)
				return b
			},
			Kill: func(q message.Queue) {
				b := q.(*brokenQueue)
				if b.kill != nil {
					b.kill()
					return
				}
				b.Close()
			},
		})
	}
}

// putting breaks each item that is put.
func putting(change func(it *message.Item)) func() *crew {
	return brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
		b.put = func(ctx context.Context, items []message.Item) error {
			items = slices.Clone(items)
			for i := range items {
				change(&items[i])
			}
			return q.Put(ctx, items...)
		}
	})
}

// taking breaks what is taken.
func taking(change func(items []message.Item)) func() *crew {
	return brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
		b.take = func(ctx context.Context, max int) ([]message.Item, error) {
			items, err := q.Take(ctx, max)
			change(items)
			return items, err
		}
	})
}

func TestBrokenQueues(t *testing.T) {
	background := context.Background()
	ownKeys := brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) { // no item knows of another of its key
		b.put = func(ctx context.Context, items []message.Item) error {
			items = slices.Clone(items)
			for i := range items {
				s.mu.Lock()
				s.n++
				items[i].Key = fmt.Sprintf("%06d%s", s.n, items[i].Key)
				s.mu.Unlock()
			}
			return q.Put(ctx, items...)
		}
		b.take = func(ctx context.Context, max int) ([]message.Item, error) {
			items, err := q.Take(ctx, max)
			for i := range items {
				items[i].Key = items[i].Key[6:]
			}
			return items, err
		}
	})
	proveKit(t, queueCases, []fake[*crew]{
		{"PutKeepsEverything", "no id", putting(func(it *message.Item) { it.ID = "" })},
		{"PutKeepsEverything", "keys in headers", putting(func(it *message.Item) { it.Key = strings.TrimSpace(it.Key) })},
		{"PutKeepsEverything", "data is text", putting(func(it *message.Item) { it.Data = []byte(strings.ToValidUTF8(string(it.Data), "?")) })},
		{"PutKeepsEverything", "no empty data", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.put = func(ctx context.Context, items []message.Item) error {
				return q.Put(ctx, slices.DeleteFunc(slices.Clone(items), func(it message.Item) bool { return len(it.Data) == 0 })...)
			}
		})},
		{"PutOrder", "backwards", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.put = func(ctx context.Context, items []message.Item) error {
				items = slices.Clone(items)
				slices.Reverse(items)
				return q.Put(ctx, items...)
			}
		})},
		{"PutByMany", "one at a time", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.put = func(ctx context.Context, items []message.Item) error {
				return s.busy.use(func() error { return q.Put(ctx, items...) })
			}
		})},
		{"PutSameID", "dropped in every key", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.put = func(ctx context.Context, items []message.Item) error {
				for _, it := range items {
					if _, there := s.items[it.ID]; there && it.ID != "" {
						continue
					}
					s.items[it.ID] = it
					if err := q.Put(ctx, it); err != nil {
						return err
					}
				}
				return nil
			}
		})},
		{"PutSameID", "no id is an id", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.put = func(ctx context.Context, items []message.Item) error {
				for _, it := range items {
					if _, there := s.items[it.Key+it.ID]; there {
						continue
					}
					s.items[it.Key+it.ID] = it
					if err := q.Put(ctx, it); err != nil {
						return err
					}
				}
				return nil
			}
		})},
		{"PutterDies", "put later", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.put = func(_ context.Context, items []message.Item) error {
				go func() {
					rest(background, time.Millisecond)
					q.Put(background, items...)
				}()
				return nil
			}
		})},
		{"Nothing", "an error", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.ack = func(ctx context.Context, items []message.Item) error {
				if len(items) == 0 {
					return errors.New("wrong number of arguments")
				}
				return q.Ack(ctx, items...)
			}
		})},
		{"TakeAtMost", "one more", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) { return q.Take(ctx, max+1) }
		})},
		{"TakeWaits", "nothing after a while", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
				items, _ := q.Take(short, max)
				return items, ctx.Err()
			}
		})},
		{"TakeWaits", "never sees what comes", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				short, cancel := context.WithTimeout(ctx, time.Millisecond)
				defer cancel()
				items, err := q.Take(short, max)
				if err != nil {
					<-ctx.Done()
				}
				return items, err
			}
		})},
		{"TakeWaitsForOne", "waits for all", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				if max > 10 {
					rest(ctx, 6*time.Second)
				}
				return q.Take(background, max)
			}
		})},
		{"TakeNext", "one at a time", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				if s.n > 0 {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				items, err := q.Take(ctx, max)
				s.n += len(items)
				return items, err
			}
			b.ack = func(ctx context.Context, items []message.Item) error {
				s.n -= len(items)
				return q.Ack(ctx, items...)
			}
		})},
		{"TakeAfterError", "taken and forgotten", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				rest(background, 2*time.Millisecond) // on its way
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return items, err
			}
		})},
		{"KeyOrder", "the newest first", taking(slices.Reverse[[]message.Item])},
		{"KeyOrder", "of several takers, in any", ownKeys},
		{"KeyOfOneTaker", "in turn", ownKeys},
		{"DeadTaker", "behind the others", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			var had []message.Item
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				had = append(had, items...)
				return items, err
			}
			b.kill = func() {
				q.Ack(background, had...)
				q.Put(background, had...)
				q.Close()
			}
		})},
		{"DeadTaker", "lost", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				return items, errors.Join(err, q.Ack(background, items...))
			}
		})},
		{"DeadWhileWaiting", "nobody notices", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.kill = func() { s.list = append(s.list, func() { q.Close() }) }
			b.put = func(ctx context.Context, items []message.Item) error {
				for _, kill := range s.list {
					kill()
				}
				return q.Put(ctx, items...)
			}
		})},
		{"Tries", "always the first", taking(func(items []message.Item) {
			for i := range items {
				items[i].Tries = 1
			}
		})},
		{"Tries", "from 0", taking(func(items []message.Item) {
			for i := range items {
				items[i].Tries--
			}
		})},
		{"Tries", "nobody counts what was not taken", taking(func(items []message.Item) {
			for i := range items {
				items[i].Tries = max(items[i].Tries, int(items[i].Epoch))
			}
		})},
		{"Epoch", "always the same", taking(func(items []message.Item) {
			for i := range items {
				items[i].Epoch = 7
			}
		})},
		{"Epoch", "the taker's", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			s.n++
			own := uint64(s.n)
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				for i := range items {
					items[i].Epoch = own
				}
				return items, err
			}
		})},
		{"Ack", "with the next one", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			var before []message.Item
			b.ack = func(ctx context.Context, items []message.Item) error {
				err := q.Ack(ctx, before...)
				before = items
				return err
			}
		})},
		{"AckInAnyOrder", "all before it too", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			var had []message.Item
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				had = append(had, items...)
				return items, err
			}
			b.ack = func(ctx context.Context, items []message.Item) error {
				for _, it := range items {
					for i := range had {
						if had[i].Receipt == it.Receipt {
							q.Ack(ctx, had[:i+1]...)
						}
					}
				}
				return nil
			}
		})},
		{"AckInAnyOrder", "only when none is before it", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			var had []message.Item
			acked := make(map[any]bool)
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				had = append(had, items...)
				return items, err
			}
			b.ack = func(ctx context.Context, items []message.Item) error {
				for _, it := range items {
					acked[it.Receipt] = true
				}
				for len(had) > 0 && acked[had[0].Receipt] {
					q.Ack(ctx, had[0])
					had = had[1:]
				}
				return nil
			}
		})},
		{"AckLate", "whoever has it", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				s.mu.Lock()
				defer s.mu.Unlock()
				for _, it := range items {
					s.list = append(s.list, func() { q.Ack(background, it) })
				}
				return items, err
			}
			b.ack = func(_ context.Context, items []message.Item) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				for _, ack := range s.list {
					ack()
				}
				return nil
			}
		})},
		{"Bury", "taken again", brokeQueue(func(_ *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.bury = func(_ context.Context, why string, items []message.Item) error {
				for _, it := range items {
					it.Why = why
					s.dead = append(s.dead, it)
				}
				return nil
			}
			b.dead = func(context.Context, int) ([]message.Item, error) { return s.dead, nil }
		})},
		{"Bury", "forgotten", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.bury = func(ctx context.Context, _ string, items []message.Item) error { return q.Ack(ctx, items...) }
		})},
		{"Dead", "nobody knows why", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.bury = func(ctx context.Context, _ string, items []message.Item) error { return q.Bury(ctx, "", items...) }
		})},
		{"Dead", "data is text", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.dead = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Dead(ctx, max)
				for i := range items {
					items[i].Data = []byte(strings.ToValidUTF8(string(items[i].Data), "?"))
				}
				return items, err
			}
		})},
		{"DeadOrder", "the newest first", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.dead = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Dead(ctx, 1000)
				slices.Reverse(items)
				return firstOf(items, max), err
			}
		})},
		{"DeadOrder", "read once", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.dead = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Dead(ctx, s.n+max)
				items = items[min(s.n, len(items)):]
				s.n += len(items)
				return items, err
			}
		})},
		{"DeadOrder", "with its taker", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			var own []message.Item
			b.bury = func(ctx context.Context, why string, items []message.Item) error {
				for _, it := range items {
					it.Why = why
					own = append(own, it)
				}
				return q.Ack(ctx, items...)
			}
			b.dead = func(_ context.Context, max int) ([]message.Item, error) { return firstOf(own, max), nil }
		})},
		{"Concurrent", "one at a time", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.ack = func(ctx context.Context, items []message.Item) error {
				return s.busy.use(func() error { return q.Ack(ctx, items...) })
			}
		})},
		{"ManyKeys", "a hundred", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, s *shared) {
			b.put = func(ctx context.Context, items []message.Item) error {
				return q.Put(ctx, slices.DeleteFunc(slices.Clone(items), func(it message.Item) bool {
					if _, there := s.items[it.Key]; !there && len(s.items) >= 100 {
						return true
					}
					s.items[it.Key] = it
					return false
				})...)
			}
		})},
		{"TakersComeAndGo", "who dies has done it", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			var had []message.Item
			b.take = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Take(ctx, max)
				had = append(had, items...)
				return items, err
			}
			b.kill = func() {
				q.Ack(background, had...)
				q.Close()
			}
		})},
		{"TakersComeAndGo", "in any order", ownKeys},
		{"Context", "deaf when it puts", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.put = func(_ context.Context, items []message.Item) error { return q.Put(background, items...) }
		})},
		{"Context", "deaf when it takes", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.take = func(_ context.Context, max int) ([]message.Item, error) { return q.Take(background, max) }
		})},
		{"Context", "deaf when it acknowledges", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.ack = func(_ context.Context, items []message.Item) error { return q.Ack(background, items...) }
		})},
		{"Context", "an error of its own", brokeQueue(func(q *message.MemoryQueue, b *brokenQueue, _ *shared) {
			b.dead = func(ctx context.Context, max int) ([]message.Item, error) {
				items, err := q.Dead(ctx, max)
				if err != nil {
					err = errors.New("timeout")
				}
				return items, err
			}
		})},
	})
}
