package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// crowd is all demo clients.
type crowd struct{ clients []*client }

// newCrowd makes clients, every other one with positions.
func newCrowd(url string, n int) *crowd {
	c := &crowd{}
	for i := range n {
		c.clients = append(c.clients, newClient(url, fmt.Sprintf("client-%d", i+1), i%2 == 0))
	}
	return c
}

// through has all of them dial through a client of their own.
func (c *crowd) through(h *http.Client) {
	for _, cl := range c.clients {
		cl.http = h
	}
}

// comeEvery is the time between two that come: so many at once are refused nowhere.
const comeEvery = time.Millisecond

// run has them come one after the other, and keeps all connected until ctx ends.
func (c *crowd) run(ctx context.Context) {
	var all sync.WaitGroup
	ticker := time.NewTicker(comeEvery)
	for _, cl := range c.clients {
		all.Go(func() { cl.run(ctx) })
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	ticker.Stop()
	all.Wait()
}

// counts are what the clients have seen, together.
type counts struct {
	Received uint64 `json:"received"`
	Lost     uint64 `json:"lost"`     // never came, though the session went on
	Repeated uint64 `json:"repeated"` // came twice
	Placed   uint64 `json:"placed"`   // of them, to clients with positions
	Reversed uint64 `json:"reversed"` // came after a later one
	Told     uint64 `json:"told"`     // sessions that ended, and were told so
	Resumes  int    `json:"resumes"`
	P50      int64  `json:"p50"` // milliseconds from the end of a connection to RESUMED
	P99      int64  `json:"p99"`
}

// count sums up. of is what was published.
func (c *crowd) count(of *traffic) (sum counts) {
	var took []time.Duration
	for _, cl := range c.clients {
		cl.mu.Lock()
		sum.Received += cl.seen.received
		sum.Lost += cl.seen.lost(of)
		sum.Repeated += cl.seen.repeated
		if cl.positions {
			sum.Placed += cl.seen.repeated
		}
		sum.Reversed += cl.seen.reversed
		sum.Told += cl.seen.told
		took = append(took, cl.resumes...)
		cl.mu.Unlock()
	}
	sum.Resumes = len(took)
	slices.Sort(took)
	sum.P50, sum.P99 = quantile(took, 50).Milliseconds(), quantile(took, 99).Milliseconds()
	return sum
}

// quantile is the given percentile of sorted times.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)*percent/100]
}
