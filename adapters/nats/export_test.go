package nats

import (
	"context"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Die ends a taker as a kill of its process does: nobody is told.
func (q *Queue) Die() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.stop()
	q.running.Wait()
}

// Held is how many partitions it has.
func (q *Queue) Held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.held)
}

// Partition is where a key belongs.
func (q *Queue) Partition(key string) int { return q.partitionOf(key) }

// Streams are the names of its two streams.
func (q *Queue) Streams() (items, side string) { return q.itemsName(), q.sideName() }

// Remember writes down that it takes an item, as Take does, also when it has heard that it is too late.
func (q *Queue) Remember(ctx context.Context, it message.Item) error {
	e := it.Receipt.(*entry)
	_, err := q.remember(ctx, e.partition, []*entry{e})
	return err
}
