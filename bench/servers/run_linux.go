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
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/messages"
)

// Server is one library's. One that has fan-out workers also has a method
// Workers() int, which says how many.
type Server interface {
	// Serve serves connections until the listener is closed.
	Serve(ln net.Listener) error

	// Publish sends an event to everybody. data is JSON, and not kept.
	Publish(data []byte)
}

// Options are for those servers that know them: gatehouse.
type Options struct {
	Topics  int // that each session is subscribed to, 1 or 5
	Workers int // that fan out; 0: one fewer than GOMAXPROCS, at least one
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

// life is how long a server may live: one that was forgotten ends by itself.
const life = time.Hour

// Run runs a server until standard input ends, which tells it what to do. The
// first line that it prints is its address.
func Run(name string, o Options) error {
	time.AfterFunc(life, func() { os.Exit(3) })
	s, err := newServer(name, o)
	if err != nil {
		return err
	}
	if c, ok := s.(io.Closer); ok {
		defer c.Close()
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go s.Serve(ln)
	fmt.Println(ln.Addr())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		o, err := parseOrder(in.Text())
		if err == nil {
			err = obey(s, o)
		}
		if err != nil {
			return err
		}
	}
	return in.Err()
}

// newServer makes one of All, or one with a pipeline of messages.
func newServer(name string, o Options) (Server, error) {
	if strings.HasPrefix(name, messages.Prefix) {
		return newMessages(name, o)
	}
	make, known := All[name]
	if !known {
		return nil, fmt.Errorf("no server is called %q", name)
	}
	return make(o)
}

func obey(s Server, o order) error {
	switch o.verb {
	case "publish":
		for range o.n {
			s.Publish(event(time.Now(), o.size))
		}
		return nil
	case "rate":
		every := time.Second / time.Duration(o.perSecond)
		start := time.Now()
		for i := range o.n {
			due := start.Add(time.Duration(i) * every)
			time.Sleep(time.Until(due))
			s.Publish(event(due, o.size))
		}
	case "collect":
		for range 3 { // what a finalizer or a pool held goes with the second or third
			runtime.GC()
		}
	case "stages":
		var took map[string]messages.Spread
		if m, ok := s.(*talked); ok {
			took = m.stages.Take()
		}
		return json.NewEncoder(os.Stdout).Encode(took)
	case "stats":
		return json.NewEncoder(os.Stdout).Encode(stats(s))
	case "profile":
		w, err := os.Create(o.file)
		if err != nil {
			return err
		}
		return pprof.StartCPUProfile(w)
	case "stop":
		pprof.StopCPUProfile()
	}
	fmt.Println("done")
	return nil
}
