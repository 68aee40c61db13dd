package nats

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// QueueOptions configure a [Queue]. The zero value works. All but Lease and Duplicates are of a
// queue that is made: one that is there stays as it is.
type QueueOptions struct {
	// Partitions is into how many parts the keys are divided: so many takers can share the
	// queue. It is fixed when the queue is made; 0: what it was made with, or 16.
	Partitions int

	// Lease is for how long a taker that says nothing keeps its partitions: so long after one
	// died, and up to a second more, others get what it had. 0: 10 s; at least 1 s. All takers
	// should have the same.
	Lease time.Duration

	// Duplicates is for how long the server knows the ID of an item, and drops it when it is put
	// again under the same key. 0: 2 minutes. Negative: this Queue has nothing dropped. How long
	// it is depends on who made the queue. The server keeps about 100 bytes for each item that was
	// put within that time.
	Duplicates time.Duration

	// Replicas is on how many servers of a cluster everything is kept: 1, 3 or 5. 0: 1.
	Replicas int

	// Storage is where; jetstream.MemoryStorage is gone when the server ends.
	Storage jetstream.StorageType

	// MaxBytes is how much the items may need, and again the dead: Put and Bury refuse what does
	// not fit. 0: as much as the account has. Some accounts want it to be set.
	MaxBytes int64
}

func (o QueueOptions) withDefaults() QueueOptions {
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	o.Lease = max(o.Lease, time.Second)
	if o.Replicas <= 0 {
		o.Replicas = 1
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = -1 // JetStream's word for no limit
	}
	return o
}

// defaultPartitions is that of QueueOptions.
const defaultPartitions = 16

// A taker is taken for dead when it has acknowledged nothing that it was given for so long, and then has
// asked for nothing for so long again, to which the server adds up to a second, by lot.
func (o QueueOptions) ackWait() time.Duration  { return o.Lease / 4 }
func (o QueueOptions) inactive() time.Duration { return o.Lease / 2 }

// beat is how often a taker says that it lives, and looks at what others do.
func (o QueueOptions) beat() time.Duration { return o.Lease / 4 }
