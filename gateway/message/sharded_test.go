package message

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Rings of the nodes a, b; a to d; b to d.
var rings = sync.OnceValue(func() (r [3]*shard.Ring) {
	r[0], _ = shard.NewRing(shard.Node{ID: "a"}, shard.Node{ID: "b"})
	r[1], _ = r[0].With(shard.Node{ID: "c"}, shard.Node{ID: "d"})
	r[2], _ = r[1].Without("a")
	return r
})

// cluster is the stores of nodes a to d.
type cluster map[string]*slowStore

func newCluster(seed uint64) cluster {
	c := cluster{}
	for i, node := range []string{"a", "b", "c", "d"} {
		c[node] = newSlowStore(seed*10+uint64(i), 2*time.Millisecond)
	}
	return c
}

func (c cluster) placement(ring *shard.Ring) Placement {
	p := Placement{Ring: ring, Stores: map[string]Store{}}
	for node, s := range c {
		p.Stores[node] = s
	}
	return p
}

func (c cluster) open(t *testing.T, ring *shard.Ring) *Sharded {
	t.Helper()
	s, err := NewSharded(c.placement(ring))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// flap has stores fail now and then, until stop is closed.
func (c cluster) flap(r *rand.Rand, stop <-chan struct{}) {
	for {
		s := c[string(rune('a'+r.IntN(4)))]
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(r.IntN(int(20 * time.Millisecond)))):
		}
		s.failing.Store(true)
		time.Sleep(time.Duration(r.IntN(int(5 * time.Millisecond))))
		s.failing.Store(false)
	}
}

// check fails the test unless each channel is where the ring says, as it should be, and nowhere else.
func (c cluster) check(t *testing.T, ring *shard.Ring, want map[string][]Message) {
	t.Helper()
	for node, s := range c {
		for channel, got := range s.channels {
			if node != ring.Owner(channel) && len(got) > 0 {
				t.Errorf("channel %s is in %s too: %v", channel, node, brief(got))
			}
		}
	}
	for channel, all := range want {
		if got := c[ring.Owner(channel)].channels[channel]; !samePage(got, all) {
			t.Errorf("channel %s is %d messages and should be %d: %v, %v", channel, len(got), len(all), brief(got), brief(all))
		}
	}
}

// used are the channels that are written to in the tests below; quiet are some that are not.
func used() []string { return []string{"u1", "u2", "u3", "u4", "u5", "u6"} }

func quiet(n int) (channels []string) {
	for i := range n {
		channels = append(channels, fmt.Sprint("q", i))
	}
	return channels
}

func listed(channels ...[]string) iter.Seq2[string, error] {
	return withoutErrors(slices.Concat(channels...))
}

func TestReshardMovesWhatThePlanSays(t *testing.T) {
	c := newCluster(1)
	for _, s := range c {
		s.most = 1
	}
	r, channels, want := rings(), quiet(400), map[string][]Message{}
	s := c.open(t, r[0])
	for i, channel := range channels {
		n := 3
		if i%100 == 0 {
			n = 2*copied + i/100 // a last page that is full, too
		}
		want[channel] = fill(t, s, channel, n)
	}
	c.check(t, r[0], want)
	for i := range 2 {
		plan, moves := shard.NewPlan(r[i], r[i+1]), 0
		for _, channel := range channels {
			from, to := plan.Owner(channel)
			if from == to {
				continue
			}
			if moves%50 == 0 { // what a call that was killed long ago may have left
				junk := []Message{}
				for id := range ID(3 * copied) {
					junk = append(junk, Message{ID: 2*id + 1, Content: "junk"})
				}
				if err := c[to].Append(t.Context(), channel, junk); err != nil {
					t.Fatal(err)
				}
			}
			moves++
		}
		moved, err := s.Reshard(t.Context(), c.placement(r[i+1]), listed(channels), nil)
		if err != nil {
			t.Fatal(err)
		}
		part := float64(moved.Channels) / float64(len(channels))
		if moved.Channels != moves || part > plan.Fraction()+0.08 || part < plan.Fraction()-0.08 {
			t.Errorf("%+v moved: %.2f; the plan says %d: %.2f", moved, part, moves, plan.Fraction())
		}
		c.check(t, r[i+1], want)
	}
}

func TestReshardWhileUsed(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			c, r := newCluster(seed), rings()
			random := rand.New(rand.NewPCG(seed, 5))
			s := c.open(t, r[0])
			want := map[string][]Message{}
			for _, channel := range quiet(6) {
				want[channel] = fill(t, s, channel, 30)
			}
			stop := make(chan struct{})
			var users, others sync.WaitGroup
			results := map[string]func() []Message{}
			for _, channel := range used() {
				results[channel] = useChannel(t, &users, s, channel, seed)
			}
			if seed%3 > 0 {
				others.Go(func() { c.flap(rand.New(rand.NewPCG(seed, 6)), stop) })
			}
			others.Go(func() {
				for _, next := range []*shard.Ring{r[1], r[2], r[0]} {
					commits := 0
					for done := false; !done; {
						short, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(int(300*time.Millisecond))))
						_, err := s.Reshard(short, c.placement(next), listed(used(), quiet(6)), func(context.Context) error {
							commits++
							if commits == 1 {
								return errLost
							}
							return nil
						})
						cancel()
						done = err == nil
						if err != nil && !errors.Is(err, errLost) && !errors.Is(err, context.DeadlineExceeded) {
							t.Error(err)
						}
						time.Sleep(time.Duration(random.IntN(int(50 * time.Millisecond))))
					}
					if commits < 2 || s.Placement().Ring != next {
						t.Errorf("after %d commits: not in force", commits)
					}
				}
			})
			users.Wait()
			close(stop)
			others.Wait()
			for channel, result := range results {
				want[channel] = result()
			}
			// What an aborted call or a failed Clear left is gone after the next one.
			if _, err := s.Clear(t.Context(), r[1], listed(used(), quiet(6))); err != nil {
				t.Error(err)
			}
			if _, err := s.Clear(t.Context(), r[2], listed(used(), quiet(6))); err != nil {
				t.Error(err)
			}
			c.check(t, r[0], want)
			if len(s.turns.byName) > 0 || len(s.earlier) > 0 || s.writing > 0 {
				t.Errorf("left over: %d turns, %d placements, %d writes", len(s.turns.byName), len(s.earlier), s.writing)
			}
		})
	}
}

// mortal is a Store whose process is killed and started anew.
type mortal struct{ now atomic.Pointer[process] }

type process struct {
	*Sharded
	ctx  context.Context // ends when it is killed
	kill context.CancelFunc
}

func (m *mortal) do(ctx context.Context, what func(context.Context, Store) error) error {
	p := m.now.Load()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()
	err := what(ctx, p.Sharded)
	if p.ctx.Err() != nil && err != nil {
		return errLost
	}
	return err
}

func (m *mortal) Append(ctx context.Context, channel string, batch []Message) error {
	return m.do(ctx, func(ctx context.Context, s Store) error { return s.Append(ctx, channel, batch) })
}

func (m *mortal) Page(ctx context.Context, channel string, q Query) (page []Message, err error) {
	err = m.do(ctx, func(ctx context.Context, s Store) error {
		page, err = s.Page(ctx, channel, q)
		return err
	})
	return page, err
}

func (m *mortal) Edit(ctx context.Context, msg Message) error {
	return m.do(ctx, func(ctx context.Context, s Store) error { return s.Edit(ctx, msg) })
}

func (m *mortal) Delete(ctx context.Context, channel string, ids ...ID) (deleted []ID, err error) {
	err = m.do(ctx, func(ctx context.Context, s Store) error {
		deleted, err = s.Delete(ctx, channel, ids...)
		return err
	})
	return deleted, err
}

func TestReshardKilled(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			c, r := newCluster(seed), rings()
			random := &lockedRandom{r: rand.New(rand.NewPCG(seed, 5))}
			written := r[0] // what new processes start with
			var m mortal
			start := func() *process {
				ctx, kill := context.WithCancel(t.Context())
				p := &process{c.open(t, written), ctx, kill}
				m.now.Store(p)
				return p
			}
			p := start()
			var users sync.WaitGroup
			results := map[string]func() []Message{}
			for _, channel := range used() {
				results[channel] = useChannel(t, &users, &m, channel, seed)
			}
			kills := 0
			for i, next := range []*shard.Ring{r[1], r[2], r[0]} {
				for done := false; !done; {
					ended := make(chan error, 1)
					go func() {
						_, err := p.Reshard(p.ctx, c.placement(next), listed(used()), func(ctx context.Context) error {
							sleep(ctx, time.Duration(random.n(int(30*time.Millisecond))))
							if ctx.Err() == nil {
								written = next
							}
							sleep(ctx, time.Duration(random.n(int(30*time.Millisecond))))
							return ctx.Err()
						})
						ended <- err
					}()
					select {
					case err := <-ended:
						if err != nil {
							t.Error(err)
						}
						done = true
					case <-time.After(time.Duration(random.n(int(200 * time.Millisecond)))):
						kills++
						p.kill()
						<-ended
						p = start()
					}
				}
				// A killed Clear is gone on with by hand.
				if _, err := p.Clear(t.Context(), r[i], listed(used())); err != nil {
					t.Error(err)
				}
			}
			users.Wait()
			if kills == 0 {
				t.Logf("seed %d killed nobody", seed)
			}
			p.kill()
			want := map[string][]Message{}
			for channel, result := range results {
				want[channel] = result()
			}
			c.check(t, r[0], want)
		})
	}
}
