package servers

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The workers that are told are those that run.
func TestWorkersAreThoseThatRun(t *testing.T) {
	for given, want := range map[int]int{0: max(1, runtime.GOMAXPROCS(0)-1), 1: 1, 3: 3} {
		s, err := newGatehouse(Options{Topics: 1, Workers: given}, false)
		if err != nil {
			t.Fatal(err)
		}
		running := 0
		for deadline := time.Now().Add(10 * time.Second); running < want && time.Now().Before(deadline); runtime.Gosched() {
			running = workersRunning() // one that has not begun yet does not show what it is
		}
		if told := stats(s).Workers; told != want || running != want {
			t.Errorf("%d were asked for: told %d, running %d, want %d", given, told, running, want)
		}
		if err := s.(*gatehouse).gw.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if n := stats(&limit{}).Workers; n != 0 {
		t.Errorf("the limit has %d workers", n)
	}
}

func workersRunning() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "gateway.(*workers).work(")
}
