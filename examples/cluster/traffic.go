package main

import (
	"context"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// message is the data of every event: which of its room it is.
type message struct {
	Room string `json:"room"`
	N    uint64 `json:"n"`
}

// traffic is what is published: numbered events, so many a second, in all rooms.
type traffic struct {
	mu        sync.Mutex
	published map[string]uint64          // by room: the last that was published for certain
	unsure    map[string]map[uint64]bool // those that may have been
	total     uint64
}

func newTraffic() *traffic {
	return &traffic{published: make(map[string]uint64), unsure: make(map[string]map[uint64]bool)}
}

// run publishes until ctx ends, and returns when all that was begun has its answer.
func (t *traffic) run(ctx context.Context, p publisher, rate int) {
	var all sync.WaitGroup
	for i := range rooms {
		all.Go(func() { t.fill(ctx, p, room(i), time.Second*rooms/time.Duration(max(rate, 1))) })
	}
	all.Wait()
}

// fill publishes to one room. What fails is not tried again: it may be there.
func (t *traffic) fill(ctx context.Context, p publisher, name string, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for n := uint64(1); ; n++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		err := p.Publish(context.WithoutCancel(ctx), name, gateway.Event{Type: "MESSAGE", Data: message{name, n}})
		t.did(name, n, err)
	}
}

func (t *traffic) did(name string, n uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.published[name] = n
		t.total++
		return
	}
	if t.unsure[name] == nil {
		t.unsure[name] = make(map[uint64]bool)
	}
	t.unsure[name][n] = true
}

// isUnsure reports whether nobody knows if the event was published.
func (t *traffic) isUnsure(name string, n uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.unsure[name][n]
}

// last is the newest event of a room that was published for certain.
func (t *traffic) last(name string) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.published[name]
}

func (t *traffic) count() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}
