package gateway

import "context"

// Broker carries events between nodes. The in-memory one, [NewMemoryBroker],
// is the default and serves the gateways of one process.
//
// All methods may be called by many goroutines at once.
type Broker interface {
	// Publish hands a record to every feed that follows its topic, the
	// publisher's own included. Records of one topic reach every feed in the
	// same order, each once. It keeps rec.Data, which nobody changes any more.
	Publish(ctx context.Context, rec Record) error

	// Open adds a receiver. deliver is called with every record of the topics
	// that the feed follows, for one topic never by two goroutines at once. It
	// returns quickly, does not block, and does not call the broker.
	Open(ctx context.Context, deliver func(Record)) (Feed, error)
}

// Feed is one node's place at a broker.
//
// All methods may be called by many goroutines at once.
type Feed interface {
	// Follow has the records of a topic delivered. Every record that is
	// published after Follow returned is; following twice is following once.
	Follow(ctx context.Context, topic string) error

	// Unfollow ends that. Records may still be delivered while it runs, none
	// after it returned.
	Unfollow(ctx context.Context, topic string) error

	// Close unfollows everything and ends the feed: deliver is not called
	// after it returned.
	Close(ctx context.Context) error
}
