package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// maxPutting is how many records of a sender may be on their way to the brokers.
const maxPutting = 10_000

// sender puts records into topics.
type sender struct {
	client *kgo.Client
	base   context.Context // ends with its owner
	room   chan struct{}   // has an entry for each record on its way
	kept   func(*kgo.Record)
}

// newSender has kept called with each record that is kept, those of a partition in their order.
func newSender(client *kgo.Client, base context.Context, kept func(*kgo.Record)) sender {
	return sender{client, base, make(chan struct{}, maxPutting), kept}
}

// send returns when all records are kept. The client may not know the caller's context: it would
// take back what others have put into the same partition when that ends.
func (s *sender) send(ctx context.Context, records ...*kgo.Record) (err error) {
	results := make(chan error, len(records))
	for _, r := range records {
		select {
		case s.room <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("too much is on its way: %w", ctx.Err())
		}
		s.client.Produce(s.base, r, func(r *kgo.Record, err error) {
			<-s.room
			if err == nil {
				s.kept(r)
			}
			results <- err
		})
	}
	for range records {
		select {
		case e := <-results:
			err = errors.Join(err, e)
		case <-ctx.Done():
			return fmt.Errorf("no broker says that it is kept: %w", ctx.Err())
		}
	}
	return err
}
