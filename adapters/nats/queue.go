package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Queue is one taker of a queue in JetStream; several processes, or several in one, share the queue
// by its name. It is a message.Queue. Make it with [NewQueue]; Close gives back what it has.
//
// A Queue that only puts holds nothing on the server. With the first Take it starts to be a taker,
// and it stops, but for the partitions of which it still has items, when no Take is called for as
// long as a lease.
type Queue struct {
	// Static after NewQueue.
	js         jetstream.JetStream
	conn       *natsgo.Conn
	items      jetstream.Stream
	side       jetstream.Stream
	name       string
	opts       QueueOptions
	partitions int
	taker      string // differs from that of every other Queue, for ever

	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	wake    chan struct{} // has Take look again; one note
	kick    chan struct{} // has keep look again; one note
	running sync.WaitGroup

	mu       sync.Mutex // never held while the server is asked
	closed   bool
	keeping  bool // keep runs
	taking   bool // a Take is running
	lastTake time.Time
	held     map[int]*partition
	turn     int   // the partition that Take looks at first
	failed   error // of keep, for the next Take
	crew     crew
}

var _ message.Queue = (*Queue)(nil)

// NewQueue returns a taker of the queue that has this name, and makes the queue if it is not there
// yet. The connection below js stays the caller's: close it after the Queue. Only what NewQueue does
// ends with ctx.
func NewQueue(ctx context.Context, js jetstream.JetStream, name string, o QueueOptions) (*Queue, error) {
	if !validName(name) {
		return nil, ErrName
	}
	q := &Queue{
		js: js, conn: js.Conn(), name: name, opts: o.withDefaults(), taker: rand.Text(),
		wake: make(chan struct{}, 1), kick: make(chan struct{}, 1), held: make(map[int]*partition),
		crew: crew{others: make(map[string]time.Time)},
	}
	q.ctx, q.stop = context.WithCancel(context.Background())
	if err := q.call(ctx, q.open); err != nil {
		q.stop()
		return nil, notOpened(q.conn, "queue", name, err)
	}
	return q, nil
}

// goodbye bounds how long a Close takes.
const goodbye = 2 * time.Second

// Close gives back what this taker has taken and not acknowledged, so that others get it at once.
// Its methods return message.ErrClosed afterwards. When the server does not answer within 2 s, the
// lease has to run out.
func (q *Queue) Close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	q.mu.Unlock()
	q.stop()
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	left := make(chan error, 1) // not waited for beyond ctx, which the client may not heed
	go func() {
		q.running.Wait()
		left <- q.leave(ctx)
	}()
	select {
	case err := <-left:
		if err == nil {
			return nil
		}
		return fmt.Errorf("nats: close queue %q: %w", q.name, err)
	case <-ctx.Done():
		return fmt.Errorf("nats: close queue %q: %w", q.name, ctx.Err())
	}
}

// leave gives up everything. Nothing else runs any more.
func (q *Queue) leave(ctx context.Context) error {
	var all []*partition
	for _, p := range q.held {
		all = append(all, p)
	}
	err := each(all, func(p *partition) error { return q.release(ctx, p) })
	if q.keeping {
		err = errors.Join(err, q.say(bye), q.conn.FlushWithContext(ctx))
	}
	return err
}
