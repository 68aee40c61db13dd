package gatewaytest

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// number reads an environment variable.
func number(t testing.TB, name string, fallback int) int {
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}

// maxFailures is how many seeds may fail before the others are left alone.
const maxFailures = 3

// TestSchedules plays random schedules against a whole gateway, each in a
// bubble of its own, and has the oracle judge them. SEEDS says how many, from
// FIRST on; SEED plays a single one with a trace, up to AGAIN times until it
// fails: what the seed decides is the same each time, but goroutines that run
// at the same instant take turns as they like. With AGAIN=1 the trace is printed
// as it happens.
func TestSchedules(t *testing.T) {
	// When a goroutine of the gateway panics, the traceback has the seeds that
	// are being played, in hexadecimal, as the second argument of play.
	debug.SetTraceback("all")
	if seed := number(t, "SEED", -1); seed >= 0 {
		replay(t, uint64(seed), number(t, "AGAIN", 20))
		return
	}
	seeds, first := 300, number(t, "FIRST", 0)
	if testing.Short() || raceOn {
		seeds = 100
	}
	seeds = number(t, "SEEDS", seeds)
	var total summary
	began := time.Now()
	next := atomic.Int64{}
	t.Run("seeds", func(t *testing.T) {
		for w := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("worker ", w), func(t *testing.T) {
				t.Parallel()
				for {
					i := int(next.Add(1)) - 1
					if i >= seeds || total.failed() >= maxFailures {
						return
					}
					total.add(t, play(t, uint64(first+i), nil))
				}
			})
		}
	})
	total.mu.Lock()
	defer total.mu.Unlock()
	took := time.Since(began)
	fmt.Printf("sim: seeds %d to %d: %d schedules in %v (%v each), %d failed\nsim: %s\nsim: %v\n",
		first, first+seeds-1, total.schedules, took.Round(time.Millisecond), (took / time.Duration(max(total.schedules, 1))).Round(10*time.Microsecond),
		total.failures, total.did, total.report)
	if total.schedules == seeds && total.report.Deliveries < 10*seeds {
		t.Errorf("%d deliveries in %d schedules: they do not do much", total.report.Deliveries, seeds)
	}
}

// summary adds up what many schedules did.
type summary struct {
	mu        sync.Mutex
	schedules int
	failures  int
	did       tally
	report    Report
}

func (s *summary) failed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failures
}

func (s *summary) add(t *testing.T, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedules++
	s.did.add(r.did)
	s.report.Add(r.report)
	if r.err != nil {
		s.failures++
		t.Errorf("seed %d (%s): %v\nreplay: SEED=%d go test -run TestSchedules ./gateway/gatewaytest", r.seed, r.kind, r.err, r.seed)
	}
}

// result is what one schedule came to.
type result struct {
	seed   uint64
	kind   string
	did    tally
	report Report
	err    error
}

// replay plays one seed until it fails, and prints its trace then, or after
// the last time.
func replay(t *testing.T, seed uint64, times int) {
	for i := range max(times, 1) {
		var trace []string
		var mu sync.Mutex
		r := play(t, seed, func(line string) {
			mu.Lock()
			defer mu.Unlock()
			if times == 1 {
				fmt.Println(line) // at once, should the process die
				return
			}
			trace = append(trace, line)
		})
		if r.err == nil && i < times-1 {
			continue
		}
		for _, line := range trace {
			fmt.Println(line)
		}
		fmt.Printf("sim: seed %d (%s), played %d times\nsim: %s\nsim: %v\n", seed, r.kind, i+1, r.did, r.report)
		if r.err != nil {
			t.Fatal(r.err)
		}
	}
}
