package kafka

import (
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// BrokerOptions configure a [Broker] and a [Publisher]. The zero value of each is a default.
type BrokerOptions struct {
	// Brokers are some of the cluster's, as host:port. Empty: localhost:9092.
	Brokers []string

	// Topic is the one of Kafka that holds the events of all topics of the gateways; "":
	// "gatehouse-events". It is made if it is not there. Nodes and publishers share it by its name.
	Topic string

	// Of a topic that is made. Partitions is into how many parts the gateways' topics are divided; 0:
	// 64. It cannot be changed later: topics would move to other partitions, and positions with them.
	// Replication is on how many brokers each is kept, 0: as the cluster says. From 3 on, Publish
	// returns when two have an event, so that one may be lost with all it had.
	Partitions  int
	Replication int

	// Retention is for how long a topic that is made keeps what is published, at least; 0: an hour,
	// negative: for ever. A node that is cut off, or a session that nobody has, for longer than that
	// has lost something, and is told.
	Retention time.Duration

	// History and HistoryBytes are how many records of a partition, and how much of them, Since
	// returns at most: a session that has missed more is told that it has. 0: 16,384, and 64 MB.
	History      int
	HistoryBytes int

	// Logger is told when the brokers are away, when they are back, and what was lost; nil:
	// slog.Default().
	Logger *slog.Logger

	// Client has more for franz-go: TLS and SASL, a rack, kgo.ProducerBatchMaxBytes, which bounds an
	// event (1 MB here). What the broker stands on cannot be changed: acks, partitions, offsets.
	Client []kgo.Opt
}

func (o BrokerOptions) withDefaults() BrokerOptions {
	if len(o.Brokers) == 0 {
		o.Brokers = []string{"localhost:9092"}
	}
	if o.Topic == "" {
		o.Topic = "gatehouse-events"
	}
	if o.Partitions <= 0 {
		o.Partitions = 64
	}
	if o.Replication <= 0 {
		o.Replication = -1
	}
	if o.Retention == 0 {
		o.Retention = time.Hour
	}
	if o.History <= 0 {
		o.History = 16_384
	}
	if o.HistoryBytes <= 0 {
		o.HistoryBytes = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// topic is what is made. Kafka forgets whole files: with four of them to a Retention it keeps a
// quarter too much.
func (o BrokerOptions) topic() wanted {
	return wanted{o.Topic, o.Partitions, o.Replication, o.Retention, max(0, o.Retention/4)}
}

// clients has the options of every client.
func (o BrokerOptions) clients() Options {
	return Options{Brokers: o.Brokers, Topic: o.Topic, Client: o.Client}
}

// producer has those of the client that publishes, and asks.
func (o BrokerOptions) producer() []kgo.Opt {
	return append(o.clients().producer(), kgo.RecordPartitioner(kgo.ManualPartitioner()))
}

// reader has those of a client that reads partitions from given offsets. It does not go elsewhere by
// itself when there is nothing at one.
func (o BrokerOptions) reader(more ...kgo.Opt) []kgo.Opt {
	// A partition that is added waits for the fetch that is under way.
	opts := append([]kgo.Opt{kgo.FetchMaxWait(100 * time.Millisecond)}, o.clients().client()...)
	return append(append(opts, kgo.ConsumeResetOffset(kgo.NoResetOffset())), more...)
}
