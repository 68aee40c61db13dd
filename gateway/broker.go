package gateway

import "context"

// Broker carries events between nodes. The in-memory one, [NewMemoryBroker],
// is the default and serves the gateways of one process.
//
// Topics belong to partitions. A broker that keeps history gives each record a
// [Position] in its partition, and reads from one again. One that knows whether its
// servers are there is a [Checker] too.
//
// All methods may be called by many goroutines at once. With a ctx that has ended
// Publish and Since return an error that wraps its own.
type Broker interface {
	// Publish hands a record to every feed that follows its topic, the
	// publisher's own included. Records of one topic reach every feed in the
	// same order, each once, and with the position that the broker gave them. It
	// keeps rec.Data, which nobody changes any more. A record whose ID one of the
	// newest records of its topic has is not published again, and that is no error:
	// how far back it knows them, a broker with history says. Records of other topics,
	// and those without an ID, are others.
	Publish(ctx context.Context, rec Record) error

	// Open adds a receiver. deliver is called with every record of the topics
	// that the feed follows, for one topic never by two goroutines at once; where
	// some were lost, or cannot be read, with a record that says so (Gap) in their place. It returns
	// quickly, does not block, and does not call the broker.
	Open(ctx context.Context, deliver func(Record)) (Feed, error)

	// Since returns the records of a partition behind a position, oldest first,
	// with every one that was published before the call. The error is ErrGap when
	// some of them are not kept any more or cannot be read, or when the position is of another
	// epoch; it is never part of them.
	Since(ctx context.Context, from Position) ([]Record, error)
}

// Feed is one node's place at a broker.
//
// All methods may be called by many goroutines at once.
type Feed interface {
	// Follow has the records of a topic delivered: exactly those behind the
	// position that it returns, among them every record that is published after
	// Follow returned. Following twice is following once; the position is then
	// one up to which every record of the partition that the feed follows has been
	// delivered: the newest such one, or sessions that wait for rare events are lost
	// over a drain. A broker without history returns the zero Position.
	Follow(ctx context.Context, topic string) (Position, error)

	// Unfollow ends that. Records may still be delivered while it runs, none
	// after it returned.
	Unfollow(ctx context.Context, topic string) error

	// Close unfollows everything and ends the feed: deliver is not called
	// after it returned.
	Close(ctx context.Context) error
}

// Position is a place in the history of one partition of a broker: behind the
// record with that offset. The zero value is no place.
type Position struct {
	Partition uint32
	Epoch     uint64 // never 0; positions of different epochs cannot be compared
	Offset    uint64 // counts up within the partition; 0 is before the first record
}

// IsZero reports whether p is no place: that of a broker without history.
func (p Position) IsZero() bool { return p.Epoch == 0 }
