package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Broker is one node's place at a broker in a topic of Kafka: a gateway.Broker, also for several
// gateways of a process. Make it with [NewBroker], and close it when the gateways have shut down.
type Broker struct {
	*events
	tails   []*tail // by partition
	reader  *kgo.Client
	readers chan struct{} // has an entry for each Since that reads
	workers sync.WaitGroup
	end     sync.Once

	mu     sync.Mutex
	failed error // why the brokers are away
}

var _ gateway.Broker = (*Broker)(nil)

// mostReaders is how many calls of Since read at a time, each with a client of its own.
const mostReaders = 8

// NewBroker opens the topic of the events, and makes it if it is not there yet. Only what NewBroker
// does ends with ctx.
func NewBroker(ctx context.Context, o BrokerOptions) (*Broker, error) {
	e, err := openEvents(ctx, o)
	if err != nil {
		return nil, err
	}
	b := &Broker{events: e, readers: make(chan struct{}, mostReaders)}
	if b.reader, err = kgo.NewClient(e.opts.reader(kgo.WithContext(e.base))...); err != nil {
		e.close()
		return nil, e.wrap("open", err)
	}
	for number := range e.partitions {
		b.tails = append(b.tails, newTail(b, number))
	}
	b.workers.Go(b.poll)
	b.workers.Go(b.watch)
	return b, nil
}

// Publish is of [gateway.Broker]. It returns when all in-sync replicas have the record. With another
// error than kerr.MessageTooLarge it may be published all the same: who publishes it again with its
// ID has it in the log twice, but every reader leaves out a record whose ID is that of one of the 512 before it
// in its partition. What the client tries again by itself is kept once, in its order.
func (b *Broker) Publish(ctx context.Context, rec gateway.Record) error {
	behind, err := b.publish(ctx, rec)
	if err == nil {
		b.tails[b.partition(rec.Topic)].published(behind)
	}
	return b.wrap("publish", err)
}

// Open is of [gateway.Broker].
func (b *Broker) Open(ctx context.Context, deliver func(gateway.Record)) (gateway.Feed, error) {
	_, cancel, err := b.begin(ctx)
	if err != nil {
		return nil, b.wrap("open", err)
	}
	cancel()
	return &feed{broker: b, deliver: deliver}, nil
}

// Err says why the brokers are away, or nil: the node does not get what is published meanwhile, and
// gets it when they are back.
func (b *Broker) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// Close ends all feeds and the calls that still run: they return gateway.ErrClosed, as all others do
// from then on.
func (b *Broker) Close() error {
	b.end.Do(func() {
		b.cancel()
		b.workers.Wait()
		b.reader.Close()
		b.close()
	})
	return nil
}

// poll hands on what is fetched until the broker is closed.
func (b *Broker) poll() {
	for {
		fetches := b.reader.PollFetches(b.base)
		if b.base.Err() != nil {
			return
		}
		fetches.EachPartition(func(fetched kgo.FetchTopicPartition) {
			if fetched.Partition < 0 || int(fetched.Partition) >= len(b.tails) {
				b.opts.Logger.Warn("kafka: a fetch failed", "topic", b.opts.Topic, "err", fetched.Err)
				return
			}
			t := b.tails[fetched.Partition]
			if fetched.Err != nil {
				t.trouble(fetched.Err)
			}
			t.take(fetched.Records)
		})
	}
}

// The brokers are asked so often whether they are there, and what is idle is looked for.
const (
	watchEvery  = time.Second
	watchWithin = 3 * time.Second
	idleFor     = time.Minute
)

// watch looks after the brokers until the Broker is closed.
func (b *Broker) watch() {
	for rest(b.base, watchEvery) == nil {
		b.look()
		for _, t := range b.tails {
			t.tidy(idleFor)
		}
	}
}

// look asks whether every partition has somebody who serves it, and whether the topic is still the same.
func (b *Broker) look() {
	ctx, cancel := context.WithTimeout(b.base, watchWithin)
	defer cancel()
	details, err := b.admin.ListTopics(ctx, b.opts.Topic)
	detail := details[b.opts.Topic]
	if err == nil {
		err = detail.Err
	}
	for _, p := range detail.Partitions {
		err = errors.Join(err, p.Err)
	}
	if b.base.Err() != nil {
		return
	}
	if err == nil && detail.ID != b.id {
		err = errAnew
		if !b.anew.Swap(true) {
			for _, t := range b.tails {
				t.over()
			}
		}
	}
	b.mu.Lock()
	was := b.failed
	b.failed = err
	b.mu.Unlock()
	switch {
	case err != nil && was == nil:
		b.opts.Logger.Warn("kafka: the brokers are away", "topic", b.opts.Topic, "err", err)
	case err == nil && was != nil:
		b.opts.Logger.Info("kafka: the brokers are back", "topic", b.opts.Topic)
	}
}
