package redis

import (
	"context"
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// mostSaid is how many items are acknowledged at a time: see mostRead.
const mostSaid = 1000

// settlement says of items of one partition that they have been dealt with.
type settlement struct {
	call
	lease
	ids []any
}

// Ack is of message.Queue. What could not be said is said later, as long as this taker has the
// partition: else an item whose Ack failed would be held up until the taker is closed.
func (q *Queue) Ack(ctx context.Context, items ...message.Item) error {
	return wrap("acknowledge", q.settle(ctx, items, func(s settlement) call {
		keys := []string{q.of(s.partition, "lease"), q.of(s.partition, "items")}
		return ackScript.call(keys, append([]any{q.taker, s.epoch}, s.ids...)...)
	}))
}

// Bury is of message.Queue. What could not be said is said later, as with Ack.
func (q *Queue) Bury(ctx context.Context, why string, items ...message.Item) error {
	return wrap("bury", q.settle(ctx, items, func(s settlement) call {
		keys := []string{q.of(s.partition, "lease"), q.of(s.partition, "items"), q.of(s.partition, "dead")}
		return buryScript.call(keys, append([]any{q.taker, s.epoch, why}, s.ids...)...)
	}))
}

func (q *Queue) settle(ctx context.Context, items []message.Item, say func(settlement) call) error {
	var all []settlement
	for _, s := range group(items) {
		s.call = say(s)
		all = append(all, s)
	}
	return q.say(ctx, all)
}

// group makes settlements of items. Those that are not of a Queue of ours are left out.
func group(items []message.Item) (all []settlement) {
	var order []lease
	ids := make(map[lease][]any)
	for _, it := range items {
		r, ours := it.Receipt.(receipt)
		if !ours {
			continue
		}
		if ids[r.lease] == nil {
			order = append(order, r.lease)
		}
		ids[r.lease] = append(ids[r.lease], r.id)
	}
	for _, l := range order {
		for some := range slices.Chunk(ids[l], mostSaid) {
			all = append(all, settlement{lease: l, ids: some})
		}
	}
	return all
}

// say has settlements done. What fails is kept for keep, if it may still count. What is under an
// older lease is left to the script, which refuses it.
func (q *Queue) say(ctx context.Context, all []settlement) error {
	if len(all) == 0 {
		return nil
	}
	calls := make([]call, len(all))
	for i, s := range all {
		calls[i] = s.call
	}
	err := q.do(ctx, calls)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, s := range all {
		p := q.held[s.partition]
		if p == nil || p.lease != s.lease {
			continue
		}
		if calls[i].Err() != nil {
			s.call = calls[i].again()
			q.unsaid = append(q.unsaid, s)
			continue
		}
		for _, id := range s.ids {
			delete(p.out, id.(string))
		}
		if p.leaving && p.drained() {
			note(q.kick)
		}
	}
	return err
}
