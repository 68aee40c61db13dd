package message

import "context"

// Queue holds items until somebody has dealt with them, in the order of each key. A value is one
// taker: its methods may be called by many goroutines at once, Take by one at a time.
// messagetest.Queue proves one of your own. What is said of contexts and errors at [Store]
// holds here too. Put, Ack and Bury of no items do nothing.
type Queue interface {
	// Put adds items behind those that are there. When it returns nil, they are kept
	// until they are acknowledged or buried, also when the process, or the server behind
	// it, is killed. After an error they may have been put; put again, they may be there
	// twice. A batch of one key stays in order.
	Put(ctx context.Context, items ...Item) error

	// Take returns the oldest items that nobody has taken, at least one and at most max:
	// it waits for the first, not for more. The items of one key come in the order in which
	// they were put, and as long as one of them is with a taker, no other taker gets one of
	// that key. When a taker is closed or dies, what it had taken and not acknowledged is
	// taken again, by somebody, in order, before what is behind it; Tries counts. What a Take
	// took that failed, it has given back, or the next one returns it.
	Take(ctx context.Context, max int) ([]Item, error)

	// Ack says that items, which this taker has taken, have been dealt with: they are not
	// taken again. It may be late: another taker may have got them meanwhile.
	Ack(ctx context.Context, items ...Item) error

	// Bury sets items aside that cannot be dealt with, and says why: they are acknowledged,
	// and kept among the dead.
	Bury(ctx context.Context, why string, items ...Item) error

	// Dead returns items that were buried, oldest first, at most max, with Why, and Data
	// and Key as they were put. They stay.
	Dead(ctx context.Context, max int) ([]Item, error)
}

// Item is what a Queue holds.
type Item struct {
	Key  string // items with the same one stay in order; not empty
	ID   string // names it among those of its key, for people, and for queues that drop an item put twice within their window; may be empty
	Data []byte

	// Of Take.
	Tries   int    // how often it was taken, this time included
	Epoch   uint64 // differs from that of an earlier item of the key when another taker may have had some in between
	Receipt any    // the queue's own

	Why string // of Dead
}
