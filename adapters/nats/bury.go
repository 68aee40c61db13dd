package nats

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Bury is of message.Queue. The items go among the dead first and are acknowledged then: who dies in
// between has them taken, and maybe buried, again; the dead have one of them. Of why, 4 KB are kept.
// What could not be buried is tried again, as long as this taker has it, every quarter of a lease.
func (q *Queue) Bury(ctx context.Context, why string, items ...message.Item) error {
	if err := q.alive(ctx); err != nil {
		return wrap("bury", err)
	}
	entries, late := q.settle(items)
	if err := q.bury(ctx, why, entries); err != nil {
		return wrap("bury", err)
	}
	return late
}

// bury buries settled items.
func (q *Queue) bury(ctx context.Context, why string, entries []*entry) error {
	var graves []uint64
	for i, e := range entries {
		m := encode(q.subject("dead", e.seq), e.item)
		m.Header[headerWhy] = []string{strconv.Quote(strings.ToValidUTF8(why[:min(len(why), mostWhy)], ""))}
		err := q.call(ctx, func(ctx context.Context) error {
			written, err := q.js.PublishMsg(ctx, m)
			if err == nil {
				graves = append(graves, written.Sequence)
			}
			return err
		})
		if err != nil {
			q.unsettle(why, entries[i:])
			return errors.Join(err, q.acknowledge(ctx, entries[:i]))
		}
	}
	err := q.acknowledge(ctx, entries)
	if errors.Is(err, errLate) { // then they live, and somebody else has them
		_ = q.call(q.ctx, func(ctx context.Context) error {
			return each(graves, func(seq uint64) error { return q.side.DeleteMsg(ctx, seq) })
		})
	}
	return err
}

// unsettle has items be buried when they are delivered again.
func (q *Queue) unsettle(why string, entries []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range entries {
		e.why = &why
		e.partition.settling--
		e.partition.out[e.seq] = e
	}
}

// buryAgain buries an item that was delivered again.
func (q *Queue) buryAgain(e *entry, reply string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || e.partition.lost || !e.partition.settle(e) {
		return
	}
	why := *e.why
	e.reply, e.why = reply, nil
	q.running.Go(func() { _ = q.bury(q.ctx, why, []*entry{e}) }) // or the next time
}

// Dead is of message.Queue. Each of them is a request.
func (q *Queue) Dead(ctx context.Context, most int) (items []message.Item, err error) {
	if err := q.alive(ctx); err != nil {
		return nil, wrap("read the dead", err)
	}
	for seq := uint64(1); len(items) < most; {
		err := q.call(ctx, func(ctx context.Context) error {
			m, err := q.side.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(q.subject("dead", "*")))
			if err == nil {
				seq = m.Sequence + 1
				items = append(items, decode(m.Header, m.Data))
			}
			return err
		})
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, wrap("read the dead", err)
		}
	}
	return items, nil
}
