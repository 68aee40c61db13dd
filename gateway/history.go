package gateway

import (
	"context"
	"errors"
	"sort"
	"sync"
)

// history reads the broker's history for sessions that catch up. When many come at
// once, after a node was killed or has drained, those that need the same partition
// are served by one read: whoever comes while one is under way waits for the next,
// which begins where the oldest of them is. They share the events, and so the
// forms that are made of them.
type history struct {
	gw *Gateway

	mu         sync.Mutex
	partitions map[uint32]*reads // that are being read
}

// reads are those of one partition: one is under way.
type reads struct{ next *sharedRead }

type sharedRead struct {
	from    Position
	readers int
	done    chan struct{}

	// Once done is closed.
	events []*published
	err    error
}

// since is the broker's Since.
func (h *history) since(ctx context.Context, at Position) ([]*published, error) {
	r := h.join(at)
	if r == nil {
		return h.read(ctx, at)
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if r.err != nil && r.readers > 1 && (errors.Is(r.err, ErrGap) || at != r.from) {
		return h.read(ctx, at) // another reached further back
	}
	behind := sort.Search(len(r.events), func(i int) bool { return r.events[i].Position.Offset > at.Offset })
	return r.events[behind:], r.err
}

// join returns the read that serves who is at a position, or nil when none does.
func (h *history) join(at Position) *sharedRead {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.partitions[at.Partition]
	busy := p != nil
	if !busy {
		if h.partitions == nil {
			h.partitions = make(map[uint32]*reads)
		}
		p = new(reads)
		h.partitions[at.Partition] = p
	}
	switch r := p.next; {
	case r == nil:
		p.next = &sharedRead{from: at, done: make(chan struct{})}
	case r.from.Epoch != at.Epoch:
		return nil
	case r.from.Offset > at.Offset:
		r.from = at
	}
	r := p.next
	r.readers++
	if !busy {
		h.gw.topics.calls.start(func() { h.serve(at.Partition, p) })
	}
	return r
}

// serve reads a partition as long as somebody waits for it.
func (h *history) serve(partition uint32, p *reads) {
	for {
		h.mu.Lock()
		r := p.next
		p.next = nil
		if r == nil {
			delete(h.partitions, partition)
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		ctx, cancel := context.WithTimeout(h.gw.ctx, loadWithin)
		r.events, r.err = h.read(ctx, r.from)
		cancel()
		close(r.done)
	}
}

func (h *history) read(ctx context.Context, from Position) ([]*published, error) {
	records, err := h.gw.opts.Broker.Since(ctx, from)
	if err != nil {
		return nil, err
	}
	events := make([]*published, len(records))
	for i, rec := range records {
		events[i] = h.gw.received(rec)
	}
	return events, nil
}
