package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	errNoID = errors.New("the cluster gives topics no identity, which Kafka does since 2.8")
	errAnew = errors.New("the topic was deleted, and made anew: what uses it has to be opened again")
)

// events is the topic of Kafka that holds the events, as one process writes it.
type events struct {
	// Static after openEvents.
	opts       BrokerOptions
	client     *kgo.Client // publishes, and asks
	admin      *kadm.Client
	sender     sender
	id         kadm.TopicID
	epoch      uint64 // of all positions: which topic it is
	partitions uint32
	behind     []atomic.Int64 // the newest record that is kept of what this process has published, by partition

	base   context.Context // ends with Close
	cancel context.CancelFunc
	anew   atomic.Bool // it is another topic now
}

func openEvents(ctx context.Context, o BrokerOptions) (*events, error) {
	e := &events{opts: o.withDefaults()}
	e.base, e.cancel = context.WithCancel(context.Background())
	if err := e.open(ctx); err != nil {
		e.close()
		return nil, fmt.Errorf("kafka: open topic %s: %w", e.opts.Topic, err)
	}
	return e, nil
}

func (e *events) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if e.client, err = kgo.NewClient(e.opts.producer()...); err != nil {
		return err
	}
	e.admin = kadm.NewClient(e.client)
	e.sender = newSender(e.client, e.base, e.kept)
	if err := e.opts.topic().ensure(ctx, e.admin); err != nil {
		return err
	}
	details, err := e.admin.ListTopics(ctx, e.opts.Topic)
	if err != nil {
		return err
	}
	detail := details[e.opts.Topic]
	e.id, e.partitions = detail.ID, uint32(len(detail.Partitions))
	e.behind = make([]atomic.Int64, e.partitions)
	if e.id == (kadm.TopicID{}) {
		return errNoID
	}
	e.epoch = max(1, binary.BigEndian.Uint64(e.id[:8])^binary.BigEndian.Uint64(e.id[8:]))
	return nil
}

// begin says why nothing can be done, and bounds what is.
func (e *events) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case e.base.Err() != nil:
		return nil, nil, gateway.ErrClosed
	case e.anew.Load():
		return nil, nil, errAnew
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	return ctx, cancel, nil
}

// wrap is an error as a caller is given it. What was closed meanwhile says so.
func (e *events) wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case e.base.Err() != nil:
		return gateway.ErrClosed
	}
	return fmt.Errorf("kafka: %s: %w", what, err)
}

// publish returns the offset behind a record that is kept.
func (e *events) publish(ctx context.Context, rec gateway.Record) (behind int64, err error) {
	ctx, cancel, err := e.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer cancel()
	r := &kgo.Record{Topic: e.opts.Topic, Partition: int32(e.partition(rec.Topic)), Value: encodeRecord(rec), Headers: headersOf(rec)}
	if err := e.sender.send(ctx, r); err != nil {
		return 0, err
	}
	return r.Offset + 1, nil
}

// partition is that of a topic: FNV-1a, folded. Every node and every publisher has to say the same.
func (e *events) partition(topic string) uint32 { return partitionOf(topic, e.partitions) }

func partitionOf(topic string, partitions uint32) uint32 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(topic) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return uint32((h ^ h>>32) % uint64(partitions))
}

func (e *events) close() {
	e.cancel()
	if e.client != nil {
		e.client.Close()
	}
}
