package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// patience is how long a call may take whose context has no deadline, but for Take, which waits.
const patience = 30 * time.Second

// Open returns a queue of a topic, which is made if it is not there. It joins the takers with its
// first Take. Only what Open does ends with ctx.
func Open(ctx context.Context, o Options) (*Queue, error) {
	q := newQueue(o.withDefaults())
	if err := q.open(ctx); err != nil {
		q.Close()
		return nil, fmt.Errorf("kafka: open topic %s: %w", q.opts.Topic, err)
	}
	return q, nil
}

func (q *Queue) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	q.producer, err = kgo.NewClient(q.opts.producer()...)
	if err != nil {
		return err
	}
	q.admin = kadm.NewClient(q.producer)
	q.sender = newSender(q.producer, q.base, func(*kgo.Record) {})
	items := wanted{q.opts.Topic, q.opts.Partitions, q.opts.Replication, q.opts.Retention, 0}
	if err := items.ensure(ctx, q.admin); err != nil {
		return err
	}
	dead := wanted{q.dead(), 1, q.opts.Replication, -1, 0} // one partition: the dead are in order
	if err := dead.ensure(ctx, q.admin); err != nil {
		return err
	}
	details, err := q.admin.ListTopics(ctx, q.opts.Topic)
	q.topicID = details[q.opts.Topic].ID
	return err
}

// dead is the topic of what was buried.
func (q *Queue) dead() string { return q.opts.Topic + ".dead" }

// rest waits, or returns the error of ctx.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// goodbye is how long Close waits for the group to let it go; others then notice later.
const goodbye = 5 * time.Second

// Close gives back what this taker has, without delay, and leaves the group. Calls that wait
// return message.ErrClosed, as do later ones.
func (q *Queue) Close() error {
	q.mu.Lock()
	closed, consumer := q.closed, q.consumer
	q.closed = true
	q.wake()
	q.mu.Unlock()
	if closed {
		<-q.ended
		return nil
	}
	var err error
	if consumer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		if err = consumer.LeaveGroupContext(ctx); err != nil {
			err = fmt.Errorf("kafka: leave the takers of %s: %w", q.opts.Topic, err)
		}
	}
	q.end()
	return err
}

// end lets go of everything, and waits for it.
func (q *Queue) end() {
	q.cancel()
	q.workers.Wait()
	if q.consumer != nil {
		q.consumer.CloseAllowingRebalance()
	}
	if q.producer != nil {
		q.producer.Close()
	}
	close(q.ended)
}
