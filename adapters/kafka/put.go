package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers of records.
const (
	headerID   = "id"
	headerWhy  = "why"  // of the dead
	headerFrom = "from" // of the dead: partition and offset
)

// errNoKey is returned for items without a key.
var errNoKey = errors.New("kafka: an item has no key")

// Put is of [message.Queue]. An item of more than about 1 MB is refused, as the brokers would.
func (q *Queue) Put(ctx context.Context, items ...message.Item) error {
	records := make([]*kgo.Record, len(items))
	for i, it := range items {
		if it.Key == "" {
			return errNoKey
		}
		records[i] = recordOf(it)
		records[i].Topic = q.opts.Topic
	}
	return q.produce(ctx, "put", records)
}

// produce returns when all records are kept.
func (q *Queue) produce(ctx context.Context, what string, records []*kgo.Record) error {
	ctx, cancel, err := q.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	err = q.sender.send(ctx, records...)
	switch {
	case err == nil:
		return nil
	case q.base.Err() != nil && ctx.Err() == nil:
		return message.ErrClosed
	}
	return fmt.Errorf("kafka: %s: %w", what, err)
}

func recordOf(it message.Item) *kgo.Record {
	r := &kgo.Record{Key: []byte(it.Key), Value: bytes.Clone(it.Data)}
	if it.ID != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: headerID, Value: []byte(it.ID)})
	}
	return r
}

func itemOf(r *kgo.Record) message.Item {
	return message.Item{Key: string(r.Key), ID: header(r, headerID), Data: r.Value}
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
