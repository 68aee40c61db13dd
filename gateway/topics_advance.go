package gateway

import (
	"context"
	"time"
)

// A topic's place in the history is that of its last record, which may be old
// while other topics of its partition go on: a session that is saved with it
// would be lost over records of which it misses none. So, while a gateway drains,
// the places of its topics follow their partitions.

// advanceEvery is how often they do, and how long the broker has for it.
const advanceEvery = time.Second

// keepUp has the topics' places follow their partitions until ctx ends.
func (ts *topics) keepUp(ctx context.Context) {
	ticker := time.NewTicker(advanceEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			ts.advance(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// advanceLately is advance, unless that began within the last second: of many
// sessions that are asked for at once, one has the broker asked.
func (ts *topics) advanceLately(ctx context.Context) {
	now, last := time.Now().UnixNano(), ts.advanced.Load()
	if now-last >= int64(advanceEvery) && ts.advanced.CompareAndSwap(last, now) {
		ts.advance(ctx)
	}
}

// advance asks the broker how far each partition has been delivered, by one
// topic of it, and moves the places of all its topics there. When the broker does
// not say they stay where they are, which is as right and may be too old.
func (ts *topics) advance(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, advanceEvery)
	defer cancel()
	for _, name := range ts.ofEachPartition() {
		if ts.hold(ctx, name) != nil { // or it might be followed for ever
			continue
		}
		at, err := ts.feed.Follow(ctx, name)
		ts.release(name)
		if err == nil && !at.IsZero() {
			ts.moveTo(at)
		}
	}
}

// ofEachPartition returns the name of one topic of each partition that has any.
func (ts *topics) ofEachPartition() map[uint32]string {
	names := make(map[uint32]string)
	ts.each(func(name string, t *topic) {
		if !t.last.IsZero() && t.holders > 0 {
			names[t.last.Partition] = name
		}
	})
	return names
}

// moveTo moves the places of a partition's topics.
func (ts *topics) moveTo(at Position) {
	ts.each(func(_ string, t *topic) {
		if t.last.Partition == at.Partition && t.last.Epoch == at.Epoch && t.last.Offset < at.Offset {
			t.last = at
		}
	})
}

// each calls fn for every topic, under the lock of its stripe.
func (ts *topics) each(fn func(name string, t *topic)) {
	for i := range ts.stripes {
		st := &ts.stripes[i]
		st.mu.Lock()
		for name, t := range st.topics {
			fn(name, t)
		}
		st.mu.Unlock()
	}
}
