package nats

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// tries is how often the items of a partition were taken. Every taker takes them in order, from the
// first that is not acknowledged: so it is enough to know how far each came. It is written down before
// items are given out, over what was read before: a taker that was taken for dead cannot do that any
// more once its successor has.
type tries struct {
	Version int      `json:"v"`
	Epoch   uint64   `json:"epoch,string"`     // of who wrote it
	Mark    uint64   `json:"mark"`             // and the last message that it has taken
	Before  []uint64 `json:"before,omitempty"` // those of who was there before it, highest first
}

const triesVersion = 1

// mostTries is how many takers are remembered.
const mostTries = 100

// of is how often an item was taken by others.
func (t tries) of(seq uint64) int {
	n := 0
	for _, mark := range t.Before {
		if mark >= seq {
			n++
		}
	}
	return n
}

// succeed is what a taker of a new epoch continues; of its own, it is t.
func (t tries) succeed(epoch uint64) tries {
	if t.Epoch == epoch {
		return t
	}
	next := tries{Version: triesVersion, Epoch: epoch, Before: slices.Clone(t.Before)}
	if t.Mark > 0 {
		next.Before = append(next.Before, t.Mark)
		slices.SortFunc(next.Before, func(a, b uint64) int { return int(b) - int(a) })
	}
	next.Before = next.Before[:min(len(next.Before), mostTries)]
	return next
}

// taken is told of items that are taken: the first, before which all is acknowledged if it is the first of
// its epoch, and the last.
func (t tries) taken(first, last uint64) tries {
	if t.Mark == 0 {
		t.Before = slices.DeleteFunc(slices.Clone(t.Before), func(mark uint64) bool { return mark < first })
	}
	t.Mark = max(t.Mark, last)
	return t
}

// remember writes down that some items are taken, and returns how often they were before. After errLost
// they are somebody else's.
func (q *Queue) remember(ctx context.Context, p *partition, taken []*entry) (tries, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	for {
		if err := q.recall(ctx, p); err != nil {
			return p.tries, err
		}
		p.tries = p.tries.taken(taken[0].seq, taken[len(taken)-1].seq)
		err := q.write(ctx, p)
		switch {
		case full(err): // then the queue has to be emptied all the same, and this time does not count
			return p.tries, q.owns(ctx, p)
		case outdated(err): // by words of ours that we did not see written, of who was here before, or who is now
			if err := q.owns(ctx, p); err != nil {
				return p.tries, err
			}
		default:
			return p.tries, err
		}
	}
}

// correct has those items not count that were written down and not given out, because the Take failed.
func (q *Queue) correct(ctx context.Context, p *partition) {
	q.mu.Lock()
	given := p.given
	q.mu.Unlock()
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.tries.Mark <= given {
		return
	}
	for range 3 { // what was written last may still be on its way
		if q.recall(ctx, p) != nil {
			return // and they count
		}
		p.tries.Mark = given
		if err := q.write(ctx, p); !outdated(err) {
			return
		}
	}
}

// write replaces what is written down, if it is what this taker knows. p.writing is held.
func (q *Queue) write(ctx context.Context, p *partition) error {
	body, err := json.Marshal(p.tries)
	if err != nil {
		return err
	}
	p.known = false
	written, err := q.js.Publish(ctx, q.subject("tries", p.number), body, jetstream.WithExpectLastSequencePerSubject(p.revision))
	if err == nil {
		p.revision, p.known = written.Sequence, true
	}
	return err
}

// recall reads what is written down, unless it is known. p.writing is held.
func (q *Queue) recall(ctx context.Context, p *partition) error {
	if p.known {
		return nil
	}
	was := tries{}
	m, err := q.side.GetLastMsgForSubject(ctx, q.subject("tries", p.number))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		p.revision = 0
	case err != nil:
		return err
	default:
		p.revision = m.Sequence
		if json.Unmarshal(m.Data, &was) != nil || was.Version != triesVersion {
			was = tries{} // it counts from the beginning
		}
	}
	mark := p.tries.Mark // which may not be written yet
	p.tries, p.known = was.succeed(p.epoch), true
	p.tries.Mark = max(p.tries.Mark, mark)
	return nil
}
