package memory

import (
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// Gauge tells what the process uses against its limit. One caller at a time.
type Gauge struct {
	given   uint64
	system  uint64 // of the container or the machine; 0: unknown
	samples []metrics.Sample
}

// New returns a gauge. Its limit is the first that there is of: limit; the soft
// limit of the runtime, as it is at the time (GOMEMLIMIT, debug.SetMemoryLimit);
// the lowest limit of the process' cgroup and those around it, version 2 or 1;
// the memory of the machine. Cgroups and the machine are looked at once, on
// Linux; elsewhere they are unknown.
func New(limit uint64) *Gauge { return newGauge(limit, os.DirFS("/")) }

func newGauge(limit uint64, root fs.FS) *Gauge {
	return &Gauge{given: limit, system: systemLimit(root), samples: []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}}
}

// Usage returns what the Go runtime holds of the system's memory, which is what
// GOMEMLIMIT counts, and the limit, 0 if it is unknown. What a database's C code
// and the kernel hold for the process is not in it. It allocates nothing and
// takes about a microsecond.
func (g *Gauge) Usage() (used, limit uint64) {
	metrics.Read(g.samples)
	used = g.samples[0].Value.Uint64() - g.samples[1].Value.Uint64()
	return used, g.limit()
}

func (g *Gauge) limit() uint64 {
	if g.given > 0 {
		return g.given
	}
	if soft := debug.SetMemoryLimit(-1); soft != math.MaxInt64 { // which only asks
		return uint64(soft)
	}
	return g.system
}
