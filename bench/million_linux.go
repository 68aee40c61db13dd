package main

import (
	"fmt"
	"time"
)

// million holds a million sessions, or n, on as many nodes as the limit on open
// files asks for; sends one event to all, and has half of them drop and resume.
func million() error {
	names, err := choose([]string{"gatehouse-poller", "gatehouse"}, *only)
	if err != nil {
		return err
	}
	if *only == "" {
		names = names[:1]
	}
	n := orElse(*number, 1_000_000, 19_000)
	for _, name := range names {
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

	rest := orElse(*settle, time.Minute, 5*time.Second) // a minute is one heartbeat and a half of each
	time.Sleep(rest)
	rss, _, _, goroutines, err := all.used()
	if err != nil {
		return err
	}
	fmt.Printf("at rest: RSS %.0f bytes a session in the servers, %.0f on the whole machine with both kernel ends; %d goroutines\n",
		rss/per, float64(free-memAvailable())/per, goroutines)
	if err := all.collect(per); err != nil {
		return err
	}
	for _, step := range []func(n int, wait time.Duration) error{all.heartbeats, all.oneToAll, all.halfResume} {
		if err := step(n, rest); err != nil {
			return err
		}
	}
	return nil
}

// collect collects what signing in left behind, which is not to be paid for in what
// is measured next.
func (all nodes) collect(per float64) error {
	var before, after, pause float64
	for _, nd := range all {
		s, err := nd.server.stats()
		if err != nil {
			return err
		}
		before += s.GCCPU
	}
	if err := all.each(func(nd *node) error { _, err := nd.server.ask("collect"); return err }); err != nil {
		return err
	}
	for _, nd := range all {
		s, err := nd.server.stats()
		if err != nil {
			return err
		}
		after, pause = after+s.GCCPU, max(pause, s.GCPause)
	}
	time.Sleep(3 * time.Second)
	rss, heapStack, _, _, err := all.used()
	const times = 3 // servers collect as often
	fmt.Printf("a collection: %.2f CPU seconds for all %d nodes (%.1f ms each), the longest pause %.2f ms; after it RSS %.0f bytes a session, heap and stack %.0f\n",
		(after-before)/times, len(all), (after-before)/times/float64(len(all))*1e3, pause, rss/per, heapStack/per)
	return err
}

// measure is what servers and clients used, in CPU seconds, while something was
// done, and what the clients saw.
func (all nodes) measure(do func() (counts, error)) (seen counts, server, client float64, err error) {
	if err := all.reset(); err != nil {
		return seen, 0, 0, err
	}
	before, err := all.sum()
	if err != nil {
		return seen, 0, 0, err
	}
	_, _, cpu, _, err := all.used()
	if err != nil {
		return seen, 0, 0, err
	}
	if seen, err = do(); err != nil {
		return seen, 0, 0, err
	}
	_, _, now, _, err := all.used()
	if err == nil && seen.Gaps > 0 {
		err = fmt.Errorf("%d gaps", seen.Gaps)
	}
	return seen, now - cpu, seen.CPU - before.CPU, err
}

func (all nodes) heartbeats(_ int, rest time.Duration) error {
	seen, server, client, err := all.measure(func() (counts, error) {
		time.Sleep(rest)
		return all.sum()
	})
	if err != nil {
		return fmt.Errorf("heartbeats: %w", err)
	}
	acks := float64(max(1, seen.Acks))
	fmt.Printf("heartbeats: %d within %v, %.2f of a processor, %.1f µs each (the clients %.1f); %d closed\n",
		seen.Acks, rest, server/rest.Seconds(), server/acks*1e6, client/acks*1e6, seen.Closed)
	return nil
}

func (all nodes) oneToAll(n int, _ time.Duration) error {
	sent := time.Now()
	seen, server, client, err := all.measure(func() (counts, error) {
		for _, nd := range all {
			nd.server.say("publish 1 %d", payload)
		}
		return all.until(n, func(c counts) int { return c.Events })
	})
	if err != nil {
		return fmt.Errorf("one event to all: %w", err)
	}
	fmt.Printf("one event to all: %d deliveries, the last after %v, %.1f CPU seconds in the servers (the clients %.1f), heartbeats included\n",
		seen.Events, time.Unix(0, seen.Last).Sub(sent).Round(time.Millisecond), server, client)
	return nil
}

func (all nodes) halfResume(n int, _ time.Duration) error {
	if err := all.each(func(nd *node) error { _, err := nd.tell("drop 50"); return err }); err != nil {
		return err
	}
	began := time.Now()
	seen, server, client, err := all.measure(func() (counts, error) {
		for _, nd := range all {
			nd.server.say("publish %d %d", missed, payload)
		}
		time.Sleep(time.Second)
		if err := all.connect(); err != nil {
			return counts{}, err
		}
		return all.until(n*missed, func(c counts) int { return c.Events })
	})
	if err != nil {
		return fmt.Errorf("half dropped and resumed: %w", err)
	}
	half := float64(n) / 2
	fmt.Printf("half dropped, %d events, resumed: %v, %.0f µs of the servers' CPU a resume (the clients %.0f), the events to all included; %d of %d deliveries\n",
		missed, time.Since(began).Round(time.Second), server/half*1e6, client/half*1e6, seen.Events, n*missed)
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
		sum.CPU += c.CPU
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
