package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	goredis "github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/examples/chat/server"
)

const queues = "redis://host:6379, kafka://host,host/topic?replication=3, or nats://host:4222"

// queueName is that of the queue, where its URL has none.
const queueName = "chat"

// A chat that was killed is waited for by its successor, who cannot know that it
// is dead, and whoever says something then waits as well: for less than the 10 s that
// the chat gives a message. The adapters' own times are longer, which suits several takers.
const (
	lease   = 3 * time.Second
	session = 6 * time.Second // the least that Kafka lets a group have
)

// openQueue puts what a URL names into the options, and returns what closes it.
func openQueue(ctx context.Context, text string, o *server.Options) (close func() error, err error) {
	if text == "" {
		return nothing, nil
	}
	switch schemeOf(text) {
	case "redis", "rediss":
		close, err = openRedis(ctx, text, o)
	case "kafka":
		close, err = openKafka(ctx, text, o)
	case "nats", "tls":
		close, err = openNATS(ctx, text, o)
	default:
		return nil, wrongScheme("queue", text, queues)
	}
	if err != nil {
		return nil, fmt.Errorf("-queue: %w", err)
	}
	return close, nil
}

func openRedis(ctx context.Context, text string, o *server.Options) (func() error, error) {
	options, err := goredis.ParseURL(text)
	if bad, ok := errors.AsType[*url.Error](err); ok {
		err = bad.Err // without the URL, which may have a password
	}
	if err != nil {
		return nil, err
	}
	options.ContextTimeoutEnabled = true
	goredis.SetLogger(quiet{})
	client := goredis.NewClient(options)
	queue, err := redis.NewQueue(ctx, client, queueName, redis.QueueOptions{Lease: lease})
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	o.Queue = queue
	return func() error { return errors.Join(queue.Close(), client.Close()) }, nil
}

// quiet has go-redis tell of each connection that fails to whoever debugs: what
// matters of it is an error of a call.
type quiet struct{}

func (quiet) Printf(ctx context.Context, format string, args ...any) {
	slog.DebugContext(ctx, fmt.Sprintf(format, args...))
}

func openKafka(ctx context.Context, text string, o *server.Options) (func() error, error) {
	a, err := parseAddress(text)
	if err != nil {
		return nil, err
	}
	replication, err := a.number("replication")
	if err == nil {
		err = a.only("replication")
	}
	if err != nil {
		return nil, err
	}
	brokers := a.hosts
	for i, host := range brokers {
		if _, _, err := net.SplitHostPort(host); err != nil {
			brokers[i] = net.JoinHostPort(host, "9092")
		}
	}
	topic := a.path
	if topic == "" {
		topic = queueName
	}
	queue, err := kafka.Open(ctx, kafka.Options{
		Brokers: brokers, Topic: topic, Replication: replication,
		Client: []kgo.Opt{kgo.SessionTimeout(session)},
	})
	if err != nil {
		return nil, err
	}
	o.Queue = queue
	return queue.Close, nil
}

func openNATS(ctx context.Context, text string, o *server.Options) (func() error, error) {
	a, err := parseAddress(text)
	if err == nil {
		err = a.only()
	}
	if err != nil {
		return nil, err
	}
	servers := make([]string, len(a.hosts)) // of which each is a URL
	for i, host := range a.hosts {
		servers[i] = a.scheme + "://" + host
	}
	conn, err := natsgo.Connect(strings.Join(servers, ","), natsgo.MaxReconnects(-1))
	if bad, ok := errors.AsType[*url.Error](err); ok {
		err = bad.Err
	}
	if err != nil {
		return nil, err
	}
	queue, err := newNATS(ctx, conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	o.Queue = queue
	return func() error {
		err := queue.Close()
		conn.Close()
		return err
	}, nil
}

func newNATS(ctx context.Context, conn *natsgo.Conn) (*nats.Queue, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	return nats.NewQueue(ctx, js, queueName, nats.QueueOptions{
		Lease:      lease,
		Duplicates: -1, // the chat knows a message by its nonce, and answers who sends it again
	})
}
