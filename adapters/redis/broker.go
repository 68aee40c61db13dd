package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// BrokerOptions configure a [Broker] and a [Publisher]. The zero value works.
type BrokerOptions struct {
	// Partitions is into how many parts the topics are divided. It is fixed when the broker is made in
	// Redis; 0: what it was made with, or 64.
	Partitions int

	// History is how many of the newest records of each partition are kept, and up to a hundred more. It
	// becomes what all keep that open the broker from then on; 0: what it is, or 4,096.
	History int

	// Timeout is for how long Publish, Follow and Since go on trying when Redis is away; 0: 5 s.
	Timeout time.Duration

	// Logger is told when a feed is cut off from Redis, and when it is there again; nil: slog.Default.
	Logger *slog.Logger
}

// Broker is a gateway.Broker on Redis. A record is sent once to each node that has subscribers of its topic,
// and is kept in the bounded history of its partition, both in one step. Gateways of one process may share a
// Broker; those of all nodes open one of the same name.
//
// Redis may go away and come back, as another server too: feeds then read what they have missed, in order
// and each once, and say of what topics records were lost that the history does not hold any more. A
// failover that has lost the newest records begins an epoch in their partitions, and all feeds say so.
//
// A Broker is safe for concurrent use. Make it with [NewBroker]; Close ends it.
type Broker struct{ *history }

var _ gateway.Broker = (*Broker)(nil)

// NewBroker opens the broker that has this name, and makes it if it is not there yet. The client stays the
// caller's: close it after the Broker. Only what NewBroker does ends with ctx.
func NewBroker(ctx context.Context, client goredis.UniversalClient, name string, o BrokerOptions) (*Broker, error) {
	h, err := openHistory(ctx, client, name, o)
	if err != nil {
		return nil, err
	}
	return &Broker{h}, nil
}

// Publish is of gateway.Broker. While Redis is away it tries again, for BrokerOptions.Timeout at most, and
// the record is published once. After an error it may have been: published again with its ID, it is there
// once. The IDs of as many of the newest records of each partition are known as BrokerOptions.History says.
func (b *Broker) Publish(ctx context.Context, rec gateway.Record) error {
	return wrap("publish", b.publish(ctx, rec))
}

// Since is of gateway.Broker. It reads 512 records with each call of Redis, and tries each as Publish does.
func (b *Broker) Since(ctx context.Context, from gateway.Position) ([]gateway.Record, error) {
	recs, err := b.since(ctx, from)
	if err == nil {
		for _, rec := range recs {
			if rec.Topic == "" && rec.Type == "" { // of a newer version
				return nil, gateway.ErrGap
			}
		}
		return recs, nil
	}
	if errors.Is(err, gateway.ErrGap) {
		return nil, err
	}
	return nil, fmt.Errorf("redis: read the history: %w", err)
}

// Open is of gateway.Broker. The feed connects to Redis with its first Follow.
func (b *Broker) Open(ctx context.Context, deliver func(gateway.Record)) (gateway.Feed, error) {
	if err := ctx.Err(); err != nil {
		return nil, wrap("open a feed", err)
	}
	return newFeed(b.history, deliver), nil
}

// Err says why a feed of this Broker is cut off from Redis, or from a server of a cluster, or returns nil:
// then what is published arrives. It asks nobody. A connection that ends is noticed at once, a server that
// says nothing within 14 s. Sessions stay, and what they miss is delivered when Redis is back.
func (b *Broker) Err() error { return b.away.err() }

// Close ends what is running; feeds are to be closed before. When Redis does not answer, it returns within
// 2 s, and what waits for the client ends with the client's own timeouts.
func (b *Broker) Close() error { return b.close() }
