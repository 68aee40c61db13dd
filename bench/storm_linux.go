package main

import (
	"fmt"
	"os"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/load"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

// storm has all sessions of a process drop, miss 20 events and resume at once,
// beside the same number of handshakes of plain package websocket.
func storm() error {
	n := *number
	if n == 0 {
		n = 15_000
		if *quick {
			n = 3000
		}
	}
	const missed = 20
	results := report.New("storm")
	for range *rounds {
		for _, name := range []string{"coder", "gatehouse", "gatehouse-poller"} {
			cpu, took, err := stormOnce(name, n, missed)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			metric := "cpu_us_per_resume"
			results.Add(fmt.Sprint(n), metric, name, cpu/float64(n)*1e6)
			progress("%s: %v", name, took.Round(time.Millisecond))
		}
	}
	if *asJSON {
		results.JSON(os.Stdout)
	} else {
		results.Table(os.Stdout, "coder")
	}
	return nil
}

func stormOnce(name string, n, missed int) (cpu float64, took time.Duration, err error) {
	p, err := start(name, 5)
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	c, err := load.New(p.addr, n, speaker(name))
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	if name != "coder" {
		if err := c.Connect(time.Minute); err != nil {
			return 0, 0, err
		}
		for _, cl := range c.Clients {
			cl.Drop()
		}
		time.Sleep(time.Second) // until it is noticed
		p.say("publish %d %d", missed, payload)
		time.Sleep(time.Second)
		c.Events = 0
	}
	before, err := p.stats()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := c.Connect(time.Minute); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	after, err := p.stats()
	if name != "coder" && (c.Events != n*missed || c.Gaps > 0 || c.Refused > 0) {
		return 0, 0, fmt.Errorf("%d of %d events came, %d gaps, %d refused", c.Events, n*missed, c.Gaps, c.Refused)
	}
	return after.CPU - before.CPU, took, err
}
