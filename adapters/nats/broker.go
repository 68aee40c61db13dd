package nats

import (
	"context"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Broker is one node's place at a broker in JetStream; nodes share it by its name. It is a
// gateway.Broker, also for several gateways of a process. Make it with [NewBroker], and close it
// when the gateways have shut down.
type Broker struct {
	*history
	log      *slogger
	arriving chan *natsgo.Msg // of all subscriptions, so that the order stays; emptied by take
	inflow   inflow
	checks   shared[mark]

	mu     sync.Mutex        // held while a feed is given a record, never while the server is asked
	topics map[string]*topic // by subject, behind the prefix
	sure   mark              // up to where all records of these topics have been delivered
	ticked mark              // the newest tick that has come
	heard  time.Time         // when that was
	tick   chan struct{}     // closed and replaced when one comes
	high   uint64            // the highest offset that has come
	failed error             // why nothing comes
}

// mark is a place in the stream: the message there was stored at that time.
type mark struct {
	seq   uint64
	at    time.Time // zero: not known
	epoch uint64
}

var _ gateway.Broker = (*Broker)(nil)

// NewBroker opens the broker that has this name, and makes it if it is not there yet. The connection
// below js stays the caller's: close it after the Broker. Only what NewBroker does ends with ctx.
func NewBroker(ctx context.Context, js jetstream.JetStream, name string, o BrokerOptions) (*Broker, error) {
	o = o.withDefaults()
	h, err := openHistory(ctx, js, name, o)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		history: h, log: &slogger{o.Logger, name}, topics: make(map[string]*topic),
		arriving: make(chan *natsgo.Msg, mostArriving), tick: make(chan struct{}),
	}
	b.inflow.wake = make(chan struct{}, 1)
	b.checks.run, b.checks.ask = h.run, b.check
	if err := h.call(ctx, b.begin); err != nil {
		b.Close()
		return nil, wrap("open broker", err)
	}
	return b, nil
}

// begin listens to ticks, and starts the goroutines.
func (b *Broker) begin(ctx context.Context) error {
	b.inflow.connection = b.connections()
	ticks, err := b.conn.ChanSubscribe(b.sentAt(tickToken), b.arriving)
	if err != nil {
		return err
	}
	st, err := b.states.get(ctx)
	if err != nil {
		_ = ticks.Unsubscribe() // or the connection is closed
		return err
	}
	b.sure = mark{seq: st.last, epoch: st.epoch}
	b.high, b.inflow.leader = st.last, st.leader
	b.heard = time.Now()
	b.run(b.take)
	b.run(b.deliver)
	b.run(func() {
		b.keep()
		_ = ticks.Unsubscribe() // or the connection is closed
	})
	return nil
}

// Publish is of gateway.Broker. It waits for the server's word that it has the record, and asks again when
// that does not come, for as long as ctx lasts, or 10 s. After an error the record may be published:
// published again with its ID within 30 s (or BrokerOptions.History), it is there once.
func (b *Broker) Publish(ctx context.Context, rec gateway.Record) error {
	return wrap("publish", b.publish(ctx, rec))
}

// Since is of gateway.Broker. Of a position whose partition has been quiet since before the history
// begins it says that there is a gap.
func (b *Broker) Since(ctx context.Context, from gateway.Position) (recs []gateway.Record, err error) {
	var got []gateway.Record
	err = b.call(ctx, func(ctx context.Context) (err error) {
		got, err = b.since(ctx, from)
		return err
	})
	if err != nil {
		return nil, wrap("read history", err)
	}
	return got, nil
}

// Err is why nothing comes from the server, or nil: then what is published arrives. Sessions stay, and
// what they miss is delivered when the server is back.
func (b *Broker) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// Close ends all feeds and what runs. Its methods return gateway.ErrClosed afterwards. It takes 2 s at most.
func (b *Broker) Close() error {
	b.mu.Lock()
	var subs []*topic
	for _, t := range b.topics {
		clear(t.followers)
		subs = append(subs, t)
	}
	b.mu.Unlock()
	b.run(func() {
		for _, t := range subs {
			_ = b.wire(t) // or the connection is closed
		}
	})
	return b.end()
}
