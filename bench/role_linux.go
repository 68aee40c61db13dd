package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/load"
	"github.com/gatehouse-go/gatehouse/bench/servers"
)

// speakers are the clients for the servers that do not only send events.
var speakers = map[string]func() *load.Speaker{
	"gatehouse": load.Gatehouse, "gatehouse-poller": load.Gatehouse, "centrifuge": load.Centrifuge, "socketio": load.SocketIO,
}

func speaker(server string) *load.Speaker {
	if s, ok := speakers[server]; ok {
		return s()
	}
	return load.Plain()
}

// role is what this program is when it starts itself.
func role(args []string) error {
	switch args[0] {
	case "serve":
		topics, _ := strconv.Atoi(args[2])
		return servers.Run(args[1], servers.Options{Topics: topics})
	default:
		n, _ := strconv.Atoi(args[3])
		return crowd(args[1], args[2], n)
	}
}

// counts is what a crowd in a process of its own has seen since the last reset.
type counts struct {
	Ready  int     `json:"ready"`
	Events int     `json:"events"`
	Gaps   int     `json:"gaps"`
	Closed int     `json:"closed"`
	Acks   int     `json:"acks"`
	Last   int64   `json:"last"` // when the last event came, Unix nanoseconds
	CPU    float64 `json:"cpu"`
	Error  string  `json:"error,omitempty"`
}

// crowd runs clients that are told on standard input: connect; drop SHARE
// (percent); reset; counts. Each line is answered by counts.
func crowd(server, addr string, n int) error {
	c, err := load.New(addr, n, speaker(server))
	if err != nil {
		return err
	}
	defer c.Close()
	fmt.Println("ready")
	lines := make(chan string)
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			lines <- in.Text()
		}
		close(lines)
	}()
	var last int64
	ready := 0
	for {
		before := c.Events
		c.Step(5 * time.Millisecond)
		if c.Events > before {
			last = time.Now().UnixNano()
		}
		var line string
		select {
		case l, ok := <-lines:
			if !ok {
				return nil
			}
			line = l
		default:
			continue
		}
		var failed string
		switch f := strings.Fields(line); f[0] {
		case "connect":
			if err := c.Connect(5 * time.Minute); err != nil {
				failed = err.Error()
			}
			ready = 0
			for _, cl := range c.Clients { // not for counts, which are asked for while others work
				if cl.Ready {
					ready++
				}
			}
		case "drop":
			share, _ := strconv.Atoi(f[1])
			for i, cl := range c.Clients {
				if i*share/100 != (i+1)*share/100 {
					cl.Drop()
				}
			}
		case "reset":
			c.Events, c.Gaps, c.Closed, c.Acks, last = 0, 0, 0, 0, 0
			c.Latencies = nil
		}
		var r syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &r)
		cpu := float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
		json.NewEncoder(os.Stdout).Encode(counts{ready, c.Events, c.Gaps, c.Closed, c.Acks, last, cpu, failed})
	}
}
