package proc

import (
	"math"
	"testing"
	"time"
)

func TestNumber(t *testing.T) {
	const text = "Name:\tbench\nHighSlab:      9 kB\nSlab:     4711 kB\nNone:\n"
	for key, want := range map[string]int64{"Slab:": 4711, "HighSlab:": 9, "None:": 0, "Name:": 0, "lab:": 0, "": 0} {
		if got := number([]byte(text), key); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
	if n := Number("/proc/self/status", "VmRSS:"); n <= 0 {
		t.Errorf("this process has %d kB", n)
	}
}

func TestMachineCPU(t *testing.T) {
	const text = "cpu  100 20 3000 999999 888888 1 2 400 77 66\ncpu0 100 20 3000 999999 888888 1 2 400 77 66\n"
	if got := machineCPU([]byte(text)); math.Abs(got-35.23) > 1e-9 {
		t.Errorf("%v s, want 35.23", got)
	}
	if got := machineCPU(nil); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	if got, own := MachineCPU(), CPU(); got < own-0.02 {
		t.Errorf("the machine has used %v s, this process %v", got, own)
	}
}

func TestCPU(t *testing.T) {
	before := CPU()
	for deadline := time.Now().Add(10 * time.Second); CPU() == before; {
		if time.Now().After(deadline) {
			t.Fatal("working for 10 s took no time")
		}
	}
}
