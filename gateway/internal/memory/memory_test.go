package memory

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

// files are those of a system, by name.
func files(texts map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range texts {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

const (
	meminfo = "MemTotal:        8000000 kB\nMemFree:         4000000 kB\n"
	total   = 8000000 << 10
	v2      = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	v1      = "22 20 0:21 / /proc rw - proc proc rw\n" +
		"40 30 0:35 / /sys/fs/cgroup/cpu rw shared:15 - cgroup cgroup rw,cpu,cpuacct\n" +
		"41 30 0:36 / /sys/fs/cgroup/memory rw shared:16 - cgroup cgroup rw,memory\n"
	v1docker = "41 30 0:36 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
)

func TestSystemLimit(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  uint64
	}{
		{"nothing is known", nil, 0},
		{"a machine", map[string]string{"proc/meminfo": meminfo}, total},
		{"meminfo of another kind", map[string]string{"proc/meminfo": "MemTotal: many kB\nMemTotal 5\n"}, 0},
		{"version 2", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "1000000\n",
		}, 1000000},
		{"version 2, no limit", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "max\n",
		}, total},
		{"version 2, the parent has less", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "2000000\n", "sys/fs/cgroup/a/memory.max": "1000000\n",
		}, 1000000},
		{"version 2, the parent has more", map[string]string{
			"proc/self/mountinfo": v2, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "1000000\n", "sys/fs/cgroup/a/memory.max": "2000000\n",
		}, 1000000},
		{"version 2, another group", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/a\n",
			"sys/fs/cgroup/ab/memory.max": "1000000\n", "sys/fs/cgroup/a/b/memory.max": "1000000\n",
		}, total},
		{"version 2, in a container", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "1000000\n",
		}, 1000000},
		{"version 2, a group outside of the container", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/../../other\n",
			"sys/fs/cgroup/memory.max": "1000000\n",
		}, 1000000},
		{"version 2, nothing at all", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "0\n",
		}, total},
		{"more than the machine has", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v2, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "9999999999999\n",
		}, total},
		{"version 1", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v1,
			"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/a\n1:name=systemd:/y\n0::/z\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000000\n",
			"sys/fs/cgroup/cpu/x/memory.limit_in_bytes":    "5\n",
			"sys/fs/cgroup/cpu/a/memory.limit_in_bytes":    "7\n",
			"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "6\n",
		}, 1000000},
		{"version 1, no limit", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v1, "proc/self/cgroup": "4:memory:/a\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
		}, total},
		{"version 1, no limit and no meminfo", map[string]string{
			"proc/self/mountinfo": v1, "proc/self/cgroup": "4:memory:/a\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0},
		{"version 1, in a container", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v1docker, "proc/self/cgroup": "4:memory:/docker/abc\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
		}, 1000000},
		{"version 1, below a container's group", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v1docker, "proc/self/cgroup": "4:memory:/docker/abc/d\n",
			"sys/fs/cgroup/memory/d/memory.limit_in_bytes": "1000000\n",
		}, 1000000},
		{"version 1, a group with a name that begins alike", map[string]string{
			"proc/meminfo": meminfo, "proc/self/mountinfo": v1docker, "proc/self/cgroup": "4:memory:/docker/abcd\n",
			"sys/fs/cgroup/memory/d/memory.limit_in_bytes": "5\n",
		}, total},
		{"nonsense everywhere", map[string]string{
			"proc/meminfo": "\x00", "proc/self/mountinfo": "- - -\n - cgroup2\n1 2 3 4 5 - cgroup\n", "proc/self/cgroup": "::::\n\n:\n0::\n",
			"sys/fs/cgroup/memory.max": "-5\n",
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := systemLimit(files(tt.files)); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// What is given goes before the runtime's limit, which goes before the system's.
func TestLimit(t *testing.T) {
	root := files(map[string]string{"proc/meminfo": meminfo})
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	if _, limit := newGauge(0, root).Usage(); limit != total {
		t.Errorf("the system's: %d", limit)
	}
	if _, limit := newGauge(0, files(nil)).Usage(); limit != 0 {
		t.Errorf("unknown: %d", limit)
	}
	g := newGauge(0, root)
	debug.SetMemoryLimit(5 << 30)
	if _, limit := g.Usage(); limit != 5<<30 {
		t.Errorf("the runtime's, set later: %d", limit)
	}
	if _, limit := newGauge(7, root).Usage(); limit != 7 {
		t.Errorf("the given: %d", limit)
	}
}

// Usage goes up by what is allocated and down by what is given back.
func TestUsage(t *testing.T) {
	g := New(0)
	debug.FreeOSMemory()
	before, _ := g.Usage()
	block := make([]byte, 64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	during, limit := g.Usage()
	runtime.KeepAlive(block)
	block = nil
	debug.FreeOSMemory()
	after, _ := g.Usage()
	if before == 0 || during < before+60<<20 || after > during-60<<20 {
		t.Errorf("%d, with 64 MB more %d, without them %d", before, during, after)
	}
	if runtime.GOOS == "linux" && (limit == 0 || limit < before) {
		t.Errorf("the limit is %d", limit)
	}
}

func TestUsageDoesNotAllocate(t *testing.T) {
	g := New(0)
	if n := testing.AllocsPerRun(100, func() { g.Usage() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkUsage(b *testing.B) {
	g := New(0)
	b.ReportAllocs()
	for b.Loop() {
		g.Usage()
	}
}

var garbage []byte

// The runtime lets garbage fill what its limit leaves: that is no shortage.
func TestGarbageIsNotUsed(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	const limit = 192 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	g := New(0)
	held := make([][]byte, 16)
	for i := range held {
		held[i] = make([]byte, 1<<20)
	}
	runtime.GC() // until there was one, garbage cannot be told from what is held
	most := uint64(0)
	for range 400 {
		garbage = make([]byte, 1<<20)
		garbage[0] = 1
		used, of := g.Usage()
		if of != limit {
			t.Fatalf("of %d bytes", of)
		}
		most = max(most, used)
	}
	runtime.GC()
	used, _ := g.Usage()
	if used < 16<<20 || most > limit*3/4 { // what comes while a collection runs, on a busy machine a long one, counts
		t.Errorf("%d MB are used, at most %d, of %d", used>>20, most>>20, limit>>20)
	}
	runtime.KeepAlive(held)
}
