package main

import (
	"fmt"
	"time"
)

// million holds a million sessions, or n, on as many nodes as the limit on open
// files asks for; sends one event to all, and has half of them drop and resume.
func million() error {
	n := *number
	if n == 0 {
		n = 1_000_000
	}
	for _, name := range chosen("gatehouse-poller") {
		if err := millionOf(name, n); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func millionOf(name string, n int) error {
	all, err := open(name, n, 5)
	defer all.stop()
	if err != nil {
		return err
	}
	free := memAvailable()
	began := time.Now()
	if err := all.connect(); err != nil {
		return err
	}
	per := float64(n)
	fmt.Printf("%s: %d sessions on %d nodes, each in 5 topics, signed in after %v\n", name, n, len(all), time.Since(began).Round(time.Second))

	rest := *settle
	if rest == 0 {
		rest = time.Minute // of heartbeats: one and a half of each
	}
	if err := all.reset(); err != nil {
		return err
	}
	_, _, cpu0, _, _ := all.used()
	time.Sleep(rest)
	rss, _, cpu1, goroutines, err := all.used()
	if err != nil {
		return err
	}
	sum, err := all.sum()
	if err != nil {
		return err
	}
	fmt.Printf("at rest: RSS %.0f bytes a session in the servers, %.0f on the whole machine with both kernel ends; %.2f of a processor, %.1f µs a heartbeat (%d); %d goroutines; %d closed\n",
		rss/per, float64(free-memAvailable())/per, (cpu1-cpu0)/rest.Seconds(), (cpu1-cpu0)/float64(max(1, sum.Acks))*1e6, sum.Acks, goroutines, sum.Closed)

	if err := all.reset(); err != nil {
		return err
	}
	sent := time.Now()
	for _, nd := range all {
		nd.server.say("publish 1 %d", payload)
	}
	if sum, err = all.until(n, func(c counts) int { return c.Events }); err != nil {
		return fmt.Errorf("one event to all: %w", err)
	}
	_, _, cpu2, _, _ := all.used()
	fmt.Printf("one event to all: %d deliveries, the last after %v, %.1f CPU seconds in the servers, heartbeats included\n",
		sum.Events, time.Unix(0, sum.Last).Sub(sent).Round(time.Millisecond), cpu2-cpu1)

	var pause, gc0, gc1 float64
	if err := all.each(func(nd *node) error { _, err := nd.server.stats(); return err }); err != nil {
		return err
	}
	for _, nd := range all {
		s, _ := nd.server.stats()
		gc0 += s.GCCPU
	}
	if err := all.each(func(nd *node) error { _, err := nd.server.ask("gc"); return err }); err != nil {
		return err
	}
	for _, nd := range all {
		s, _ := nd.server.stats()
		gc1, pause = gc1+s.GCCPU, max(pause, s.GCPause)
	}
	time.Sleep(3 * time.Second)
	rss, heapStack, cpu2, _, _ := all.used()
	fmt.Printf("a collection: %.2f CPU seconds for all %d nodes (%.1f ms each), the longest pause %.2f ms; after it RSS %.0f bytes a session, heap and stack %.0f\n",
		(gc1-gc0)/3, len(all), (gc1-gc0)/3/float64(len(all))*1e3, pause, rss/per, heapStack/per)

	for _, nd := range all {
		if _, err := nd.tell("drop 50"); err != nil {
			return err
		}
	}
	for _, nd := range all {
		nd.server.say("publish 20 %d", payload) // what they miss
	}
	time.Sleep(time.Second)
	began = time.Now()
	if err := all.connect(); err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if sum, err = all.until(n*21, func(c counts) int { return c.Events }); err != nil {
		return fmt.Errorf("what was missed: %w", err)
	}
	_, _, cpu3, _, _ := all.used()
	fmt.Printf("half dropped, 20 events, resumed: %v, %.0f µs of the servers' CPU a resume, the events to all included; %d gaps, %d of %d deliveries\n",
		time.Since(began).Round(time.Second), (cpu3-cpu2)/(per/2)*1e6, sum.Gaps, sum.Events, n*21)
	if sum.Gaps > 0 {
		return fmt.Errorf("%d gaps", sum.Gaps)
	}
	return nil
}

func (all nodes) reset() error {
	return all.each(func(nd *node) error { _, err := nd.tell("reset"); return err })
}

// sum is what all crowds have seen.
func (all nodes) sum() (sum counts, err error) {
	for _, nd := range all {
		c, e := nd.tell("counts")
		if e != nil {
			return sum, e
		}
		sum.Ready += c.Ready
		sum.Events += c.Events
		sum.Gaps += c.Gaps
		sum.Closed += c.Closed
		sum.Acks += c.Acks
		sum.Last = max(sum.Last, c.Last)
	}
	return sum, nil
}

// until waits until the crowds have seen so much of something.
func (all nodes) until(want int, of func(counts) int) (sum counts, err error) {
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(time.Second) {
		if sum, err = all.sum(); err != nil || of(sum) >= want {
			return sum, err
		}
		if time.Now().After(deadline) {
			return sum, fmt.Errorf("%d of %d after 3 minutes, %d closed", of(sum), want, sum.Closed)
		}
	}
}
