package kafka

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// trouble is what a fetch of a partition met, and what the client does not mend by itself.
func (t *tail) trouble(err error) {
	var cut *kgo.ErrDataLoss
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.reading:
	case errors.As(err, &cut): // the client goes on where the leader's log is another one
		t.lose(place{cut.ResetToEpoch, cut.ResetTo}, "the leader has lost the end")
		t.broker.cut(t.number) // others may not know
	case errors.Is(err, kerr.OffsetOutOfRange):
		if !t.mending {
			t.mending = true
			t.broker.workers.Go(t.mend)
		}
	default:
		t.broker.opts.Logger.Warn("kafka: a fetch failed", "topic", t.broker.opts.Topic, "partition", t.number, "err", err)
	}
}

// mend goes on with what there is, where what is due is not there any more, or never was.
func (t *tail) mend() {
	b := t.broker
	if t.enter(b.base) != nil {
		return
	}
	defer func() { <-t.turn }()
	start, end, err := b.bounds(b.base, t.number)
	for err != nil {
		if rest(b.base, watchEvery) != nil {
			return
		}
		start, end, err = b.bounds(b.base, t.number)
	}
	t.mu.Lock()
	t.mending = false
	reading := t.reading
	if reading {
		// A fetch that was on its way meanwhile may have said the same once more.
		to := place{max(t.next.epoch, end.epoch), min(max(t.next.offset, start), end.offset)}
		if to != t.next {
			t.lose(to, "what is due is out of range")
		}
	}
	to := t.next
	t.mu.Unlock()
	if reading {
		b.reader.SetOffsets(at(t, kgo.EpochOffset{Epoch: to.epoch, Offset: to.offset}))
	}
}
