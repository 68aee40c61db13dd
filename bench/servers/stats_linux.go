package servers

import (
	"runtime"
	"runtime/metrics"

	"github.com/gatehouse-go/gatehouse/bench/proc"
)

// Stats is what a server's process has used so far, or uses now.
type Stats struct {
	CPU        float64 `json:"cpu"`  // seconds, user and system
	RSS        int64   `json:"rss"`  // bytes
	Heap       int64   `json:"heap"` // bytes in use
	Stack      int64   `json:"stack"`
	Goroutines int     `json:"goroutines"`
	Mallocs    int64   `json:"mallocs"`
	Writes     int64   `json:"writes"` // system calls
	GCs        int64   `json:"gcs"`
	GCCPU      float64 `json:"gc_cpu"`   // seconds
	GCPause    float64 `json:"gc_pause"` // milliseconds, the longest of the last 256
	Workers    int     `json:"workers"`  // that fan out; 0: it has none
}

func stats(s Server) (st Stats) {
	st.CPU = proc.CPU()
	st.RSS = proc.Number("/proc/self/status", "VmRSS:") << 10
	st.Writes = proc.Number("/proc/self/io", "syscw:")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	st.Heap, st.Stack, st.Mallocs = int64(m.HeapAlloc), int64(m.StackInuse), int64(m.Mallocs)
	st.GCs = int64(m.NumGC)
	st.GCCPU = gcCPU()
	for _, p := range m.PauseNs {
		st.GCPause = max(st.GCPause, float64(p)/1e6)
	}
	st.Goroutines = runtime.NumGoroutine()
	if w, ok := s.(interface{ Workers() int }); ok {
		st.Workers = w.Workers()
	}
	return st
}

// gcCPU is the CPU time that collections have taken so far, in seconds.
func gcCPU() float64 {
	s := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/idle:cpu-seconds"}}
	metrics.Read(s)
	return s[0].Value.Float64() - s[1].Value.Float64() // what would have been idle otherwise is no cost
}
