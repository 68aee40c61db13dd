package nats

import (
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// BrokerOptions configure a [Broker] and a [Publisher]. The zero value works. All but Logger are of a
// broker that is made: one that is there stays as it is.
type BrokerOptions struct {
	// Partitions is into how many parts the topics are divided: a session that is taken up reads
	// those of its topics. It is fixed when the broker is made; 0: what it was made with, or 64.
	Partitions int

	// History is for how long what is published is kept: a node that is cut off, or a session
	// that nobody has, for longer than that has lost something, and is told. 0: 10 minutes.
	History time.Duration

	// HistoryBytes is how much of it is kept at most, of all topics. 0: 1 GB; negative: as much as the
	// account has.
	HistoryBytes int64

	// Replicas is on how many servers of a cluster it is kept: 1, 3 or 5. 0: 1.
	Replicas int

	// Storage is where; jetstream.MemoryStorage is gone when the server ends.
	Storage jetstream.StorageType

	// Logger is told when the server is away, when it is back, and what was lost. nil: slog.Default().
	Logger *slog.Logger
}

const defaultBrokerPartitions = 64

func (o BrokerOptions) withDefaults() BrokerOptions {
	if o.History <= 0 {
		o.History = 10 * time.Minute
	}
	if o.HistoryBytes == 0 {
		o.HistoryBytes = 1 << 30
	}
	o.HistoryBytes = max(-1, o.HistoryBytes)
	o.Replicas = max(1, o.Replicas)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
