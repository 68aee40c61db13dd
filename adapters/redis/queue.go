package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// QueueOptions configure a [Queue]. The zero value works.
type QueueOptions struct {
	// Partitions is into how many parts the keys are divided: so many takers can share the
	// queue. It is fixed when the queue is made in Redis; 0: what it was made with, or 16.
	Partitions int

	// Lease is for how long a taker that says nothing keeps its partitions: so long after one
	// died, others get what it had. 0: 10 s. It is rounded up to 100 ms. All takers should
	// have the same.
	Lease time.Duration
}

// Queue is one taker of a queue in Redis; several processes, or several in one, share the queue by
// its name. It is a message.Queue. Make it with [NewQueue]; Close gives back what it has.
//
// A Queue that only puts holds nothing in Redis. With the first Take it starts to be a taker, and
// it stops, but for the partitions of which it still has items, when no Take is called for as long
// as a lease.
type Queue struct {
	// Static after NewQueue.
	client     goredis.UniversalClient
	name       string
	partitions int
	lease      time.Duration
	taker      string // differs from that of every other Queue, for ever

	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	wake    chan struct{} // has Take look again; one note
	kick    chan struct{} // has keep look again; one note
	running sync.WaitGroup

	mu       sync.Mutex // never held while Redis is called
	closed   bool
	keeping  bool // keep and listen run
	taking   bool // a Take is running
	lastTake time.Time
	held     map[int]*partition
	turn     int          // the partition that Take reads first
	failed   error        // of keep, for the Take that is running
	unsaid   []settlement // that could not be said
	joined   bool         // counted among the takers; keep's, and Close's after it
}

var _ message.Queue = (*Queue)(nil)

// NewQueue returns a taker of the queue that has this name, and makes the queue if it is not there
// yet. The client stays the caller's: close it after the Queue. Only what NewQueue does ends with
// ctx.
func NewQueue(ctx context.Context, client goredis.UniversalClient, name string, o QueueOptions) (*Queue, error) {
	if name == "" || strings.ContainsAny(name, "{}") {
		return nil, ErrName
	}
	if o.Lease <= 0 {
		o.Lease = 10 * time.Second
	}
	q := &Queue{
		client: client, name: name, lease: max(o.Lease, 100*time.Millisecond), taker: rand.Text(),
		wake: make(chan struct{}, 1), kick: make(chan struct{}, 1), held: make(map[int]*partition),
	}
	q.ctx, q.stop = context.WithCancel(context.Background())
	if err := q.open(ctx, o.Partitions); err != nil {
		q.stop()
		return nil, fmt.Errorf("redis: open queue %q: %w", name, err)
	}
	return q, nil
}

// defaultPartitions is that of QueueOptions.
const defaultPartitions = 16

// layout is the version of what this package keeps in Redis.
const layout = "1"

func (q *Queue) open(ctx context.Context, partitions int) error {
	if _, err := q.run(ctx, func() error { return refuseEviction(ctx, q.client) }); err != nil {
		return err
	}
	fresh := partitions
	if fresh <= 0 {
		fresh = defaultPartitions
	}
	calls := []call{openScript.call([]string{q.shared("layout")}, fresh)}
	if err := q.do(ctx, calls); err != nil {
		return err
	}
	have, err := calls[0].StringSlice()
	if err != nil || len(have) != 2 {
		return fmt.Errorf("it answers %v: %w", calls[0].Val(), err)
	}
	if have[0] != layout {
		return ErrTooNew
	}
	if _, err := fmt.Sscan(have[1], &q.partitions); err != nil || q.partitions < 1 {
		return fmt.Errorf("it has %q partitions", have[1])
	}
	if partitions > 0 && partitions != q.partitions {
		return fmt.Errorf("%w: %d", ErrPartitions, q.partitions)
	}
	return nil
}

// refuseEviction looks at what the servers do when their memory is full. One that does not say is
// taken to be right.
func refuseEviction(ctx context.Context, client goredis.UniversalClient) error {
	check := func(ctx context.Context, c interface {
		Info(context.Context, ...string) *goredis.StringCmd
	}) error {
		info, err := c.Info(ctx, "memory").Result()
		if err == nil && strings.Contains(info, "maxmemory_policy:allkeys-") && !strings.Contains(info, "maxmemory:0\r") {
			return ErrEvicts
		}
		return nil
	}
	if cluster, ok := client.(*goredis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *goredis.Client) error { return check(ctx, c) })
	}
	return check(ctx, client)
}

// do runs calls, and returns when they are done or ctx or the queue ends: then they have that
// error, and may still be done. It returns the first of their errors.
func (q *Queue) do(ctx context.Context, calls []call) error {
	running := slices.Clone(calls) // the goroutine's own: we may be gone before it is
	done, err := q.run(ctx, func() error { return exec(ctx, q.client, running) })
	if !done {
		return failAll(calls, err)
	}
	copy(calls, running)
	return err
}

// run calls f, which waits for Redis, in a goroutine that Close waits for, and reports whether it
// ended before ctx and the queue did. The client does not always heed a context.
func (q *Queue) run(ctx context.Context, f func() error) (done bool, err error) {
	if err := q.enter(ctx); err != nil {
		return false, err
	}
	result := make(chan error, 1)
	go func() {
		defer q.running.Done()
		result <- f()
	}()
	select {
	case err := <-result:
		if err != nil {
			err = ended(ctx, err)
		}
		return true, err
	case <-ctx.Done():
		return false, ctx.Err()
	case <-q.ctx.Done():
		return false, message.ErrClosed
	}
}

// enter adds one to running, unless there is nothing to be done any more.
func (q *Queue) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return message.ErrClosed
	}
	q.running.Add(1)
	return nil
}

// goodbye bounds how long a Close takes.
const goodbye = 2 * time.Second

// Close gives back what this taker has taken and not acknowledged, so that others get it at once.
// Its methods return message.ErrClosed afterwards. When Redis does not answer within 2 s, the lease
// has to run out; what the client is still waiting for then ends with the client's own timeouts.
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
	if !over(ctx, &q.running) {
		return fmt.Errorf("redis: close queue %q: %w", q.name, ctx.Err())
	}
	said := make(chan error, 1) // it is not waited for beyond ctx, which the client may not heed
	go func() { said <- q.leave(ctx) }()
	var err error
	select {
	case err = <-said:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("redis: close queue %q: %w", q.name, ended(ctx, err))
	}
	return nil
}

// over waits for goroutines, which wait for Redis, and reports whether they ended within ctx.
func over(ctx context.Context, running *sync.WaitGroup) bool {
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// leave says what is still to be said, and frees everything.
func (q *Queue) leave(ctx context.Context) error {
	q.mu.Lock()
	var last, release []call
	for _, s := range q.unsaid {
		last = append(last, s.call)
	}
	for _, p := range q.held {
		release = append(release, q.releaseCall(p))
	}
	q.mu.Unlock()
	if q.joined {
		last = append(last, leaveScript.call([]string{q.shared("takers")}, q.taker))
	}
	if err := exec(ctx, q.client, last); err != nil {
		return err
	}
	return exec(ctx, q.client, release) // afterwards: who looks at what is free counts us no more
}
