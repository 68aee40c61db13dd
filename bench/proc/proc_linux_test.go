package proc

import (
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

func TestCPU(t *testing.T) {
	before := CPU()
	for deadline := time.Now().Add(10 * time.Second); CPU() == before; {
		if time.Now().After(deadline) {
			t.Fatal("working for 10 s took no time")
		}
	}
}
