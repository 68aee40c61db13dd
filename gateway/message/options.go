package message

import (
	"context"
	"log/slog"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

// Options say what a Pipeline does. Only Store must be set; the zero value of everything else
// is a default, or leaves a stage out. New copies the options.
type Options struct {
	// Limit says whether the sender may send now: with a positive duration it may not, and
	// may come back after it. After an error it may: a limiter that fails limits nobody. Nil:
	// no limit. A gateway.Limiter does it in one line, see the package's example.
	Limit func(ctx context.Context, m Message) (retryAfter time.Duration, err error)

	// Validate refuses a message by returning an error, a *Refusal or any other, and may
	// change it, but for its Channel, Author and Nonce. Nil: Rules{}.Check.
	Validate func(ctx context.Context, m *Message) error

	// Queue, if set, takes messages between Validate and the rest: Send returns when the
	// queue has one, before it has an id, and Consume, here or in another process, does
	// the rest; SendAndWait waits for that. A message without a nonce gets one. Nil: Send
	// waits for it all.
	Queue Queue

	// Store keeps messages. Required.
	Store Store

	// Index has messages found; nil: it is left out. One that fails refuses nobody, since the
	// message is stored: see OnError. The newest messages of a channel are added again when
	// a pipeline meets it for the first time, because the one before it may have been killed
	// between the two.
	Index Index

	// Deliver is given what was stored, of one channel, in the order of ids, one call at a
	// time for each channel. Nil: nothing is delivered. One that fails refuses nobody: see
	// OnError. To makes one of a gateway.
	Deliver func(ctx context.Context, channel string, batch []Message) error

	// Owner says which node gives the ids of a channel; where it is not this one, Send returns
	// a *NotOwnerError. Nil: this one gives them all. A shard.Ring does it in a few lines, see
	// the package's example. With a Queue it is not asked: the taker of a channel's items owns it.
	Owner func(channel string) Ownership

	// IDs gives the ids; nil: NewIDs(0). Several nodes need one each.
	IDs *IDs

	// Batch says how messages of a channel are gathered, and how often and how long a
	// store is tried. It differs from its own defaults in that nothing waits for others
	// (MaxDelay -1: a batch is what came while the one before it was stored), that 16
	// channels are stored at a time, and that one try may take 10 s.
	Batch batch.Options

	// NonceWindow is for how long a nonce is remembered; 0: 5 minutes, negative: not at
	// all. Of each channel at most MaxNonces are, 0: 1,000: of a busier one the window is
	// shorter.
	NonceWindow time.Duration
	MaxNonces   int

	// MaxChannels is how many channels' newest id and nonces are remembered; 0: 10,000. A
	// channel beyond that costs a page of the Store when it is used again.
	MaxChannels int

	// OnError is told of what did not reach the Index or the readers, and of what a queue
	// holds that cannot be stored, and why; nil: it is logged to slog.Default.
	OnError func(s Stage, batch []Message, err error)

	// Observe, if set, is told how long a stage took for how many messages. It should return
	// at once.
	Observe func(s Stage, messages int, took time.Duration, err error)
}

// Ownership is who gives the ids of a channel.
type Ownership struct {
	Node string
	Here bool // it is this node

	// Epoch is another number than before when somebody else may have owned the channel in
	// between: the number of the ring, say. What is remembered of the channel is read from
	// the store again then.
	Epoch uint64
}

// Stage is a part of the way of a message.
type Stage uint8

// The stages, in their order.
const (
	StageLimit Stage = iota
	StageValidate
	StageQueue
	StageStore
	StageIndex
	StageDeliver
	stages // how many there are
)

func (s Stage) String() string {
	return [...]string{"limit", "validate", "queue", "store", "index", "deliver"}[s]
}

func (o Options) withDefaults() Options {
	if o.Validate == nil {
		o.Validate = Rules{}.Check
	}
	if o.IDs == nil {
		o.IDs = NewIDs(0)
	}
	if o.Owner == nil {
		o.Owner = func(string) Ownership { return Ownership{Here: true} }
	}
	if o.Batch.MaxDelay == 0 {
		o.Batch.MaxDelay = -1
	}
	if o.Batch.Concurrency == 0 {
		o.Batch.Concurrency = 16
	}
	if o.Batch.Timeout == 0 {
		o.Batch.Timeout = 10 * time.Second
	}
	if o.NonceWindow == 0 {
		o.NonceWindow = 5 * time.Minute
	}
	if o.MaxNonces <= 0 {
		o.MaxNonces = 1000
	}
	if o.MaxChannels <= 0 {
		o.MaxChannels = 10_000
	}
	if o.OnError == nil {
		o.OnError = func(s Stage, batch []Message, err error) {
			slog.Default().Error("message: "+s.String()+" failed", "messages", len(batch), "err", err)
		}
	}
	return o
}
