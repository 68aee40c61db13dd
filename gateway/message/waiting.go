package message

import (
	"context"
	"fmt"
	"sync"
)

// waiting are the senders that wait for what they have queued to come out again, by channel,
// author and nonce.
type waiting struct {
	mu  sync.Mutex
	who map[string][]chan outcome
}

type outcome struct {
	m   Message
	err error
}

func (m Message) key() string { return m.Channel + "\x00" + m.Author + "\x00" + m.Nonce }

// add returns where the outcome comes, and what ends the wait for it.
func (w *waiting) add(m Message) (<-chan outcome, func()) {
	ch, key := make(chan outcome, 1), m.key()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.who == nil {
		w.who = make(map[string][]chan outcome)
	}
	w.who[key] = append(w.who[key], ch)
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		left := w.who[key][:0:0]
		for _, other := range w.who[key] {
			if other != ch {
				left = append(left, other)
			}
		}
		if w.who[key] = left; len(left) == 0 {
			delete(w.who, key)
		}
	}
}

// tell hands out an outcome, asked being the message as it was queued.
func (w *waiting) tell(asked Message, o outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ch := range w.who[asked.key()] {
		select {
		case ch <- o:
		default: // it has been told already, and is leaving
		}
	}
}

// SendAndWait is Send, which with Options.Queue waits until Consume of this same pipeline has
// stored the message too, and returns it with its id. Where another process may take it from the
// queue, that is not told here, and the wait ends with ctx.
func (p *Pipeline) SendAndWait(ctx context.Context, m Message) (Message, error) {
	if p.opts.Queue == nil {
		return p.Send(ctx, m)
	}
	if m.Nonce == "" {
		if err := p.name(&m); err != nil {
			return m, err
		}
	}
	stored, leave := p.waiting.add(m)
	defer leave()
	m, err := p.send(ctx, m, true)
	if err != nil {
		return m, err
	}
	select {
	case o := <-stored:
		return o.m, o.err
	case <-ctx.Done():
		return m, fmt.Errorf("message: it is queued, and not stored yet: %w", ctx.Err())
	}
}
