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

// Deaf has a broker hear nothing of a topic that it follows, and not know it, as when servers lose it between them.
func (b *Broker) Deaf(topic string, deaf bool) error {
	subject, err := b.topicAt(topic)
	if err != nil {
		return err
	}
	b.mu.Lock()
	t := b.topics[subject]
	b.mu.Unlock()
	t.wiring.Lock()
	defer t.wiring.Unlock()
	if deaf {
		err = t.sub.Unsubscribe()
	} else {
		t.sub, err = b.conn.ChanSubscribe(b.sentAt(subject), b.arriving)
	}
	if err != nil {
		return err
	}
	return b.conn.Flush()
}

// Sent is how many bytes its connection was given.
func (b *Broker) Sent() uint64 { return b.conn.Stats().OutBytes }

// Stored is the subject at which the records of a topic are kept.
func (b *Broker) Stored(topic string) string {
	subject, err := b.topicAt(topic)
	if err != nil {
		panic(err)
	}
	return b.storedAt(subject)
}
