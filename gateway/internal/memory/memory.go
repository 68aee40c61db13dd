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
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/heap/live:bytes"},
	}}
}

// Usage returns what is used, and the limit, 0 if it is unknown. What a
// database's C code and the kernel hold for the process is not in it. It
// allocates nothing and takes about a microsecond.
//
// Of a limit that the system sets, what is used is what the runtime holds of its
// memory: the system counts garbage, too. Of the runtime's own it is what would be
// left after a collection, as of the last one: the runtime lets garbage fill the
// rest before it collects, so that what it holds is near that limit most of the
// time, however little is in use.
func (g *Gauge) Usage() (used, limit uint64) {
	metrics.Read(g.samples)
	at := func(i int) uint64 { return g.samples[i].Value.Uint64() }
	total, released, objects, unused, free, live := at(0), at(1), at(2), at(3), at(4), at(5)
	limit, soft := g.limit()
	if !soft || live == 0 { // nothing has been collected yet
		return total - released, limit
	}
	return total - released - objects - unused - free + live, limit
}

// limit also reports whether it is the runtime's.
func (g *Gauge) limit() (limit uint64, soft bool) {
	if g.given > 0 {
		return g.given, false
	}
	if soft := debug.SetMemoryLimit(-1); soft != math.MaxInt64 { // which only asks
		return uint64(soft), true
	}
	return g.system, false
}
