package ghosts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// Options say what is proven.
type Options struct {
	Open  func() presence.Store // an own client of the store for each watcher; closed by t.Cleanup
	Args  []string              // with which the test's program is started for each node
	Env   string                // has it call Node, on the same store
	Kills int                   // of nodes

	// Harm, if set, is done to the store in the middle: what it loses then has to come back.
	Harm func()
}

const (
	people   = 40
	nodes    = 3
	watchers = 2
)

// world is what there is.
type world struct {
	t        *testing.T
	watchers []*watcher
	moves    atomic.Int64 // from dead nodes

	mu      sync.Mutex
	living  []*process
	doomed  *process  // will be killed in a moment
	killed  time.Time // when one was
	longest time.Duration
	went    int
}

// Run has nodes killed while people come and go, and judges.
func Run(t *testing.T, o Options) {
	began := time.Now()
	w := &world{t: t}
	var all []*person
	var names []string
	for i := range people {
		all = append(all, &person{world: w, name: fmt.Sprint("user", i)})
		names = append(names, all[i].name)
	}
	for range watchers {
		w.watchers = append(w.watchers, watch(t, o.Open(), names))
	}
	for range nodes {
		w.start(o)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var living sync.WaitGroup
	for _, p := range all {
		living.Go(func() { p.live(ctx) })
	}
	for i := range o.Kills {
		rest(ctx, rand.N(1500*time.Millisecond))
		w.doom()
		rest(ctx, rand.N(500*time.Millisecond))
		w.kill()
		rest(ctx, rand.N(500*time.Millisecond))
		w.start(o)
		if i == o.Kills/2 && o.Harm != nil {
			o.Harm()
		}
	}
	rest(ctx, 2*time.Second)
	stop()
	living.Wait()
	rest(t.Context(), gone-soon) // for what should not happen to happen
	ghosts := 0
	for _, p := range all {
		if is := w.judge(p); is != "" {
			t.Errorf("in the end %s: %s", p.name, is)
			ghosts++
		}
	}
	came := 0
	for _, p := range all {
		came += p.is.came
	}
	t.Logf("%d kills in %v: %d people came %d times, went %d times, moved away from dead nodes %d times; %d told of wrongly; the longest that one looked as if here was %v of %v",
		o.Kills, time.Since(began).Round(time.Second), people, came, w.went, w.moves.Load(), ghosts, w.longest.Round(10*time.Millisecond), gone-soon)
	for _, p := range w.living {
		p.kill()
	}
}

func (w *world) start(o Options) {
	p, err := start(o)
	if err != nil {
		w.t.Error(err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.living = append(w.living, p)
}

// one returns a node that lives.
func (w *world) one() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.living[rand.IntN(len(w.living))]
}

// doom says which node is killed next.
func (w *world) doom() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doomed = w.living[rand.IntN(len(w.living))]
}

func (w *world) isDoomed(p *process) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.doomed == p
}

func (w *world) kill() {
	w.mu.Lock()
	p := w.doomed
	w.doomed = nil
	for i, other := range w.living {
		if other == p {
			w.living = append(w.living[:i:i], w.living[i+1:]...)
			break
		}
	}
	w.killed = time.Now()
	w.mu.Unlock()
	p.kill()
}

// since is how long it is since a time, and since a node was killed.
func (w *world) since(t time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return min(time.Since(t), time.Since(w.killed))
}

// took notes how long it was until somebody who went was gone for everybody.
func (w *world) took(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.longest, w.went = max(w.longest, d), w.went+1
}

// judge says what a watcher sees of somebody that is not so; "" if nothing.
func (w *world) judge(p *person) string {
	for i, watcher := range w.watchers {
		if s := watcher.sight(p.name); s != p.is {
			return fmt.Sprintf("watcher %d was told %+v, it is %+v", i, s, p.is)
		}
		if here := watcher.tracker.Get(p.name).Status != presence.Offline; here != p.is.here {
			return fmt.Sprintf("watcher %d sees %v, it is %v", i, here, p.is.here)
		}
	}
	return ""
}
