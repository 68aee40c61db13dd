package messages

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Served is a pipeline whose stages are measured.
type Served struct {
	*message.Pipeline
	store opened
}

// patience is how long a pipeline may take to end.
const patience = 2 * time.Second

// often is how many messages one sender may send: the limiter is asked, and never refuses.
var often = gateway.Rate{Burst: 1_000_000, Per: time.Second}

// Serve opens a store and makes a pipeline with every stage on it.
func Serve(ctx context.Context, c Config, stages *Stages, deliver func(context.Context, string, []message.Message) error) (*Served, error) {
	o, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	options, limiter := c.options(opened{waited{o.Store, stages}, o.index, o.close}), gateway.NewMemoryLimiter()
	options.Limit = func(ctx context.Context, m message.Message) (time.Duration, error) {
		return limiter.Take(ctx, "message:"+m.Author, often, 1)
	}
	options.Validate, options.Observe, options.Deliver = stages.Validate, stages.Observe, deliver
	p, err := message.New(options)
	if err != nil {
		return nil, errors.Join(err, o.close())
	}
	return &Served{p, o}, nil
}

// Close ends the pipeline and closes its store.
func (s *Served) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return errors.Join(s.Pipeline.Close(ctx), s.store.close())
}
