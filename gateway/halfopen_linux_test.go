package gateway

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// halfOpenAttackers is how many clients begin a frame and do not end it: a few,
// unless GATEHOUSE_HALF_OPEN says otherwise, as `make poller` does. A process may
// open 20,000 files as a rule, and both ends of each are in this one.
func halfOpenAttackers(t *testing.T) int {
	n, _ := strconv.Atoi(os.Getenv("GATEHOUSE_HALF_OPEN"))
	if n <= 0 {
		return 500
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < uint64(2*n+200) {
		t.Skipf("%d attackers take %d open files, and %d are allowed", n, 2*n+200, files.Cur)
	}
	return n
}

// Clients that stop in the middle of a frame cost little memory and no goroutine,
// and do not delay others: neither while they are silent nor while they go on
// byte by byte, each waking the loop that reads everybody.
func TestHalfOpenAttackers(t *testing.T) {
	n := halfOpenAttackers(t)
	_, url := testGateway(t, func(o *Options) {
		o.Poller = true
		o.Limits.ConnectionsPerAddress, o.Limits.AcceptRate, o.Limits.IdentifyRate = -1, -1, -1
		o.Limits.IdentifyTimeout, o.Limits.HeartbeatInterval, o.Limits.Payloads = -1, 10*time.Minute, -1
	})
	healthy := newIdlers(t, url, 1)
	healthy.join(1)
	enough := func() bool { return true }
	alone := healthy.latency(400, enough)

	attackers := newIdlers(t, url, n)
	heap0, _ := used()
	goroutines := runtime.NumGoroutine()
	names := slices.Sorted(maps.Keys(halves))
	for i := range n {
		if i%10 == 0 {
			attackers.join(1) // it has a session
		} else {
			attackers.dial(1)
		}
		if half := halves[names[i%len(names)]]; len(half) > 0 {
			attackers.write(attackers.fds[i], half)
		}
	}
	silent := healthy.latency(400, enough)
	eventually(t, "nobody has a goroutine", func() bool { return runtime.NumGoroutine() <= goroutines+20 })
	heap1, _ := used()
	each := (int64(heap1) - int64(heap0)) / int64(n)

	stop := make(chan struct{})
	var sent atomic.Int64
	var trickling sync.WaitGroup
	trickling.Go(func() {
		for {
			for _, fd := range attackers.fds {
				select {
				case <-stop:
					return
				default:
				}
				syscall.Write(fd, []byte{0}) // who has said too much is closed
				sent.Add(1)
			}
		}
	})
	trickled := healthy.latency(400, func() bool { return sent.Load() >= 3*int64(n) })
	close(stop)
	trickling.Wait()

	t.Logf("%d attackers, %d bytes of heap each; a healthy round trip alone %v, beside them %v, while they sent %d bytes %v", n, each, alone, silent, sent.Load(), trickled)
	// One slow client in the way of the others would cost each of them a whole
	// timeout, seconds; what the machine does otherwise is far below this.
	for what, l := range map[string]latency{"silent": silent, "trickling": trickled} {
		if l.median > 20*alone.median+10*time.Millisecond || l.worst > 20*alone.worst+time.Second {
			t.Errorf("beside %s attackers a healthy round trip takes %v, alone %v", what, l, alone)
		}
	}
	if !raceEnabled && each > 10<<10 {
		t.Errorf("%d bytes of heap for each attacker", each)
	}
}

// latency is of several round trips.
type latency struct{ median, worst time.Duration }

func (l latency) String() string {
	return fmt.Sprintf("%v (worst %v)", l.median.Round(time.Microsecond), l.worst.Round(time.Microsecond))
}

// latency is of so many pings of the first of them, or more until it is enough.
func (c *idlers) latency(rounds int, enough func() bool) latency {
	c.t.Helper()
	var took []time.Duration
	ping := frame(0x80|wsPing, []byte("latency"))
	for len(took) < rounds || !enough() {
		began := time.Now()
		c.write(c.fds[0], ping)
		c.until(c.fds[0], "latency")
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return latency{took[len(took)/2], took[len(took)-1]}
}
