package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/load"
	"github.com/gatehouse-go/gatehouse/bench/proc"
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

// role is what this program is when it starts itself: serve NAME TOPICS WORKERS, or
// crowd NAME ADDRESS N.
func role(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%s wants three arguments", args[0])
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	if args[0] == "crowd" {
		return crowd(args[1], args[2], n)
	}
	topics, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	return servers.Run(args[1], servers.Options{Topics: topics, Workers: n})
}

// counts is what a crowd in a process of its own has seen since the last reset.
type counts struct {
	Ready  int     `json:"ready"`
	Events int     `json:"events"`
	Gaps   int     `json:"gaps"`
	Closed int     `json:"closed"`
	Acks   int     `json:"acks"`
	Last   int64   `json:"last"` // when the last event came, Unix nanoseconds
	CPU    float64 `json:"cpu"`  // of its process so far, seconds
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
		verb, share, err := parseCrowdOrder(line)
		if err != nil {
			return err
		}
		switch verb {
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
			for i, cl := range c.Clients {
				if inShare(i, share) {
					cl.Drop()
				}
			}
		case "reset":
			c.Events, c.Gaps, c.Closed, c.Acks, last = 0, 0, 0, 0, 0
			c.Latencies = nil
		}
		json.NewEncoder(os.Stdout).Encode(counts{ready, c.Events, c.Gaps, c.Closed, c.Acks, last, proc.CPU(), failed})
	}
}

// parseCrowdOrder splits a line that a crowd is told; share is of drop.
func parseCrowdOrder(line string) (verb string, share int, err error) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "connect", "reset", "counts":
		if rest != "" {
			return "", 0, fmt.Errorf("%q: %s wants nothing", line, verb)
		}
		return verb, 0, nil
	case "drop":
		share, err = strconv.Atoi(rest)
		if err != nil || share < 0 || share > 100 {
			return "", 0, fmt.Errorf("%q: drop wants a share of 0 to 100", line)
		}
		return verb, share, nil
	}
	return "", 0, fmt.Errorf("%q is not an order", line)
}

// inShare reports whether the i-th is among so many of a hundred, evenly spread.
func inShare(i, percent int) bool { return i*percent/100 != (i+1)*percent/100 }
