package servers

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is one library's.
type Server interface {
	// Serve serves connections until the listener is closed.
	Serve(ln net.Listener) error

	// Publish sends an event to everybody. data is JSON, and not kept.
	Publish(data []byte)
}

// Options are for those servers that know them.
type Options struct {
	Topics int // gatehouse: that each session is subscribed to, 1 or 5
}

// All makes a server by its name.
var All = map[string]func(Options) (Server, error){
	"limit":            newLimit,
	"echo":             newEcho,
	"gatehouse":        func(o Options) (Server, error) { return newGatehouse(o, false) },
	"gatehouse-poller": func(o Options) (Server, error) { return newGatehouse(o, true) },
	"centrifuge":       newCentrifuge,
	"gws":              newGws,
	"nbio":             newNbio,
	"gorilla":          newGorilla,
	"melody":           newMelody,
	"coder":            newCoder,
}

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
	Workers    int     `json:"workers"`
}

// life is how long a server may live: one that was forgotten ends by itself.
const life = time.Hour

// Run runs a server. The first line that it prints is its address.
//
//	publish N SIZE          publish N events of about SIZE bytes
//	rate PER_SECOND N SIZE  likewise, at a rate, whoever keeps up; answers when done
//	stats, gc, profile FILE, stop
func Run(name string, o Options) error {
	time.AfterFunc(life, func() { os.Exit(3) })
	s, err := All[name](o)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go s.Serve(ln)
	fmt.Println(ln.Addr())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		f := strings.Fields(in.Text())
		number := func(i int) int { n, _ := strconv.Atoi(f[i]); return n }
		switch f[0] {
		case "publish":
			for range number(1) {
				s.Publish(event(time.Now(), number(2)))
			}
		case "rate":
			every := time.Second / time.Duration(number(1))
			start := time.Now()
			for i := range number(2) {
				due := start.Add(time.Duration(i) * every)
				time.Sleep(time.Until(due))
				s.Publish(event(due, number(3)))
			}
			fmt.Println("done")
		case "gc":
			for range 3 {
				runtime.GC()
			}
			fmt.Println("done")
		case "stats":
			json.NewEncoder(os.Stdout).Encode(stats())
		case "profile":
			w, err := os.Create(f[1])
			if err != nil {
				return err
			}
			pprof.StartCPUProfile(w)
		case "stop":
			pprof.StopCPUProfile()
			fmt.Println("done")
		}
	}
	if err := in.Err(); err != io.EOF {
		return err
	}
	return nil
}

// event is JSON of about so many bytes, with the time at which it was due.
func event(due time.Time, size int) []byte {
	head := fmt.Appendf(nil, `{"at":%019d,"x":"`, due.UnixNano())
	for len(head) < size-2 {
		head = append(head, 'x')
	}
	return append(head, '"', '}')
}

func stats() (s Stats) {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	s.CPU = float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
	s.RSS = proc("/proc/self/status", "VmRSS:") << 10
	s.Writes = proc("/proc/self/io", "syscw:")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.Heap, s.Stack, s.Mallocs = int64(m.HeapAlloc), int64(m.StackInuse), int64(m.Mallocs)
	s.GCs = int64(m.NumGC)
	s.GCCPU = gcCPU()
	for _, p := range m.PauseNs {
		s.GCPause = max(s.GCPause, float64(p)/1e6)
	}
	s.Goroutines = runtime.NumGoroutine()
	s.Workers = max(1, runtime.GOMAXPROCS(0)-1)
	return s
}

// proc reads a number from a file of /proc; 0 if it is not there.
func proc(file, key string) int64 {
	b, _ := os.ReadFile(file)
	_, rest, _ := strings.Cut(string(b), key)
	f := strings.Fields(rest)
	if len(f) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(f[0], 10, 64)
	return n
}
