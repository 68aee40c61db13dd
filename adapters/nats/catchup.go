package nats

import (
	"context"
	"errors"
	"strconv"
	"strings"

	natsgo "github.com/nats-io/nats.go"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// deliver is the goroutine that gives what comes to the feeds. When something may be missing, it reads the
// stream from where it is sure to have everything, before it goes on with what comes.
func (b *Broker) deliver() {
	for {
		msgs, whole := b.inflow.all(b.connections)
		if !whole {
			b.catchUp()
			if b.ctx.Err() != nil {
				return
			}
			continue
		}
		for _, m := range msgs {
			b.arrived(m)
		}
		if len(msgs) > 0 {
			continue
		}
		select {
		case <-b.inflow.wake:
		case <-b.ctx.Done():
			return
		}
	}
}

// arrived gives a message to who follows its topic. It says which of the topic came before it: one that
// was lost between the servers is read.
func (b *Broker) arrived(m *natsgo.Msg) {
	k, err := keptOf(m.Header, m.Data)
	if err != nil {
		return // it is none of the server's
	}
	if strings.HasSuffix(k.subject, "."+tickToken) {
		b.mu.Lock()
		b.high = max(b.high, k.seq)
		b.ticks(mark{k.seq, k.at, b.sure.epoch})
		b.mu.Unlock()
		return
	}
	before, _ := strconv.ParseUint(m.Header.Get("Nats-Last-Sequence"), 10, 64)
	if !b.give(k, before) {
		b.fill(k, before)
		b.give(k, 0)
	}
}

// give gives a message to who follows its topic, once; not if one before it, which has a sequence, is missing.
func (b *Broker) give(k kept, before uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.high = max(b.high, k.seq)
	t := b.topics[strings.TrimPrefix(k.subject, b.storedAt(""))]
	if t == nil || k.seq <= t.last {
		return true
	}
	if t.known && before > t.last {
		return false
	}
	t.last = k.seq
	if rec, ok := b.recordOf(k, b.sure.epoch); ok {
		if rec.Gap {
			b.log.lost("a record cannot be read: a newer version wrote it", 1)
		}
		t.dispatch(rec)
	}
	return true
}

// fill reads what is missing of one topic, up to a message that it has or had.
func (b *Broker) fill(k kept, upTo uint64) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	b.mu.Lock()
	t := b.topics[strings.TrimPrefix(k.subject, b.storedAt(""))]
	at := upTo
	if t != nil {
		at = t.last
	}
	b.mu.Unlock()
	for at < upTo {
		some, _, err := b.read(ctx, k.subject, at+1)
		if err != nil {
			b.inflow.breaks() // and all is read
			return
		}
		for _, missed := range some {
			at = missed.seq
			b.give(missed, 0)
		}
		if len(some) > 0 {
			continue
		}
		rest(ctx, askAgain)
		if st, err := b.states.get(ctx); err != nil || st.first > at+1 {
			b.inflow.breaks()
			return
		}
	}
}

// catchUp reads what may be missing, until it has all, or the broker is closed.
func (b *Broker) catchUp() {
	for b.ctx.Err() == nil {
		connection := b.connections()
		b.inflow.mend(connection) // what comes from now on is whole, if the next lines are
		st, err := b.states.get(b.ctx)
		if err == nil {
			err = b.readUp(b.ctx, st)
		}
		switch {
		case err == nil:
			b.inflow.mu.Lock()
			b.inflow.leader = st.leader
			b.inflow.mu.Unlock()
			b.fail(nil)
			return
		case errors.Is(err, errAnew):
			continue // what has come meanwhile may be of the stream that was there before
		}
		b.fail(err)
		rest(b.ctx, askAgain)
	}
}

var errAnew = errors.New("nats: the stream was made anew")

// readUp delivers what the stream has behind sure, up to its end as of st.
func (b *Broker) readUp(ctx context.Context, st state) error {
	b.mu.Lock()
	sure, high := b.sure, b.high
	b.mu.Unlock()
	switch {
	case st.epoch != sure.epoch:
		b.gap(st, "the stream was made anew")
		return errAnew
	case st.last < high:
		return b.cut(ctx, high)
	case st.first > sure.seq+1:
		b.gap(st, "the history does not reach back")
		return nil
	}
	at, last := max(sure.seq, st.first)-1, sure // the one that it is sure of is there, and the same
	for at < st.last {
		within, cancel := context.WithTimeout(ctx, patience)
		some, _, err := b.read(within, b.storedAt(">"), at+1)
		cancel()
		if err != nil {
			return err
		}
		for _, k := range some {
			if k.seq == sure.seq && !sure.at.IsZero() && !k.at.Equal(sure.at) {
				return b.cut(ctx, high)
			}
			if k.seq != at+1 {
				b.gap(st, "the history has a hole")
				return nil
			}
			at, last = k.seq, mark{k.seq, k.at, st.epoch}
			if k.seq > sure.seq {
				b.give(k, 0)
			}
		}
		if len(some) > 0 {
			continue
		}
		rest(ctx, askAgain)
		now, err := b.states.get(ctx)
		if err != nil {
			return err
		}
		if now.first > at+1 {
			if at >= sure.seq || now.first > sure.seq+1 {
				b.gap(st, "the history does not reach back")
				return nil
			}
			at = now.first - 1
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(st, last)
	return nil
}

// settle has this node be at the end of the stream as of st. mu is held.
func (b *Broker) settle(st state, at mark) {
	if at.seq < st.last { // it was forgotten as soon as it was stored
		at = mark{seq: st.last, epoch: st.epoch}
	}
	b.sure = at
	b.high = max(b.high, at.seq)
	for _, t := range b.topics {
		t.last = max(t.last, st.last)
	}
}

// cut is for a stream that has lost its end, as after a power failure, or may have: what was stored since
// has places that others had. It goes on behind them, and forgets what it has: who has a position in it is
// told that there is a gap.
func (b *Broker) cut(ctx context.Context, high uint64) error {
	var done struct{}
	// One more, so that there is a gap also behind high: others may have had what was purged.
	err := b.ask(ctx, "STREAM.PURGE", map[string]uint64{"seq": high + 2}, &done)
	if err != nil {
		return err
	}
	st, err := b.states.get(ctx)
	if err != nil {
		return err
	}
	b.gap(st, "the stream has lost its end")
	return nil
}

// gap tells every feed of every topic that something was lost, and goes on from st.
func (b *Broker) gap(st state, why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.topics {
		name, partition, ok := b.placeOf(b.storedAt(t.subject))
		if !ok {
			continue
		}
		t.last = st.last
		t.dispatch(gateway.Record{
			Topic: name, Gap: true,
			Position: gateway.Position{Partition: partition, Epoch: st.epoch, Offset: st.last},
		})
		for _, w := range t.followers {
			w.after, w.epoch = st.last, st.epoch
		}
	}
	b.high = st.last
	b.ticked = mark{}
	b.settle(st, mark{seq: st.last, epoch: st.epoch})
	b.log.lost(why, len(b.topics))
}
