package messagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// pipeline is one on a taker of its own.
func (w *crashWorld) pipeline(ctx context.Context, node int) (*message.Pipeline, message.Queue, error) {
	late, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	queue, err := w.Taker(late)
	for ; err != nil; queue, err = w.Taker(late) {
		if rest(late, 20*time.Millisecond); late.Err() != nil {
			return nil, nil, during("open a taker", err)
		}
	}
	p, err := message.New(message.Options{
		Store: w.store, Queue: queue, IDs: message.NewIDs(node),
		Deliver: func(_ context.Context, _ string, batch []message.Message) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, m := range batch {
				w.delivered[m.ID]++
			}
			return nil
		},
		OnError: func(stage message.Stage, _ []message.Message, err error) {
			if stage != message.StageQueue {
				w.note(fmt.Errorf("%v: %w", stage, err))
			}
		},
	})
	return p, queue, err
}

func (w *crashWorld) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = errors.Join(w.trouble, err)
}

// send sends messages 0, 1, … of a channel until ctx ends, each until it is acknowledged, or trying ends.
func (w *crashWorld) send(ctx, trying context.Context, p *message.Pipeline, channel int) {
	for n := 0; ctx.Err() == nil; n++ {
		m := message.Message{Channel: strconv.Itoa(channel), Author: "ann", Nonce: strconv.Itoa(n), Content: strconv.Itoa(n)}
		for sent := false; !sent; {
			once, cancel := context.WithTimeout(trying, 2*time.Second)
			_, err := p.Send(once, m)
			cancel()
			if sent = err == nil; !sent {
				if rest(trying, 10*time.Millisecond); trying.Err() != nil {
					return
				}
			}
		}
		w.sent[channel] = n + 1
		select {
		case w.acknowledged <- struct{}{}:
		default:
		}
		rest(ctx, 2*time.Millisecond)
	}
}

// crashTaker is a pipeline that consumes.
type crashTaker struct {
	queue  message.Queue
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func (w *crashWorld) taker(ctx context.Context, node int) (*crashTaker, error) {
	p, queue, err := w.pipeline(ctx, node)
	if err != nil {
		return nil, err
	}
	consuming, cancel := context.WithCancel(ctx)
	taker := &crashTaker{queue: queue, cancel: cancel}
	taker.ended.Go(func() {
		if err := p.Consume(consuming); !errors.Is(err, context.Canceled) {
			w.note(during("Consume", err))
		}
	})
	return taker, nil
}

// end ends a taker, which may have ended; nil is one that never began.
func (c *crashTaker) end() {
	if c == nil {
		return
	}
	c.cancel()
	c.ended.Wait()
	closeTaker(c.queue)
}

func closeTaker(q message.Queue) {
	if closer, can := q.(io.Closer); can {
		_ = closer.Close() // its server may be dead
	}
}
