package gateway

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkHeartbeat is what a heartbeat and its answer cost of the processors
// while thousands of connections are open, read by goroutines or by the poller.
// The clients' two system calls, in this process, are in both. It takes 20,000
// open files.
func BenchmarkHeartbeat(b *testing.B) {
	const sessions = 9000
	for _, poller := range []bool{false, true} {
		b.Run(fmt.Sprintf("poller=%v", poller), func(b *testing.B) {
			_, url := testGateway(b, func(o *Options) {
				fiveTopics()(o)
				o.Limits.Payloads = -1
				o.Poller = poller
			})
			c := newIdlers(b, url, sessions)
			c.join(sessions)
			c.beat()
			beat := text(`{"op":1,"d":1}`)
			began := processTime(b)
			b.ReportAllocs()
			b.ResetTimer()
			// A hundred at a time, as many clients are that know nothing of each other.
			for done := 0; done < b.N; done += 100 {
				some := c.fds[done%sessions:][:min(100, b.N-done)]
				for _, fd := range some {
					c.write(fd, beat)
				}
				for _, fd := range some {
					c.until(fd, `"op":11`)
				}
			}
			b.ReportMetric(float64(processTime(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processTime is what this process has used of the processors.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
