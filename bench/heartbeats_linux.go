package main

import (
	"fmt"
	"os"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/load"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

// heartbeats measures a round trip at cold sessions, in the server's CPU, beside
// a server that reads and writes back.
func heartbeats() error {
	n := *number
	if n == 0 {
		n = perProcess
		if *quick {
			n = 3000
		}
	}
	over := 5 * time.Second
	if *quick {
		over = 2 * time.Second
	}
	results := report.New("heartbeats")
	for range *rounds {
		for _, name := range chosen("echo", "gatehouse", "gatehouse-poller") {
			if err := heartbeatsOnce(results, name, n, over); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if *asJSON {
		results.JSON(os.Stdout)
	} else {
		results.Table(os.Stdout, "echo")
	}
	return nil
}

func heartbeatsOnce(results *report.Results, name string, n int, over time.Duration) error {
	p, err := start(name, 5)
	if err != nil {
		return err
	}
	defer p.stop()
	c, err := load.New(p.addr, n, speaker(name))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Connect(time.Minute); err != nil {
		return err
	}
	before, err := p.stats()
	if err != nil {
		return err
	}
	c.Events, c.Acks = 0, 0
	c.BeatAll(over)
	for deadline := time.Now().Add(5 * time.Second); c.Events+c.Acks < n && time.Now().Before(deadline); {
		c.Step(10 * time.Millisecond)
	}
	after, err := p.stats()
	if err != nil {
		return err
	}
	if c.Events+c.Acks < n {
		return fmt.Errorf("%d of %d were answered", c.Events+c.Acks, n)
	}
	results.Add(fmt.Sprint(n), "cpu_us_per_heartbeat", name, (after.CPU-before.CPU)/float64(c.Events+c.Acks)*1e6)
	return nil
}
