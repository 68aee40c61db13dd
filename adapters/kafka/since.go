package kafka

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Since is of [gateway.Broker]. It reads with a client of its own, eight at a time.
func (b *Broker) Since(ctx context.Context, from gateway.Position) ([]gateway.Record, error) {
	ctx, cancel, err := b.begin(ctx)
	if err != nil {
		return nil, b.wrap("since", err)
	}
	defer cancel()
	if from.Epoch != b.epoch || from.Partition >= b.partitions {
		return nil, gateway.ErrGap
	}
	select {
	case b.readers <- struct{}{}:
		defer func() { <-b.readers }()
	case <-ctx.Done():
		return nil, b.wrap("since", ctx.Err())
	case <-b.base.Done():
		return nil, gateway.ErrClosed
	}
	recs, err := b.since(ctx, from.Partition, unpack(from.Offset))
	return recs, b.wrap("since", err)
}

func (b *Broker) since(ctx context.Context, partition uint32, from place) ([]gateway.Record, error) {
	start, end, err := b.bounds(ctx, partition)
	if err != nil {
		return nil, err
	}
	if from.offset < start || from.offset > end.offset || end.offset-from.offset > int64(b.opts.History) {
		return nil, gateway.ErrGap
	}
	if from.epoch >= 0 && from.epoch != end.epoch {
		if err := b.uncut(ctx, partition, from); err != nil {
			return nil, err
		}
	}
	if from.offset == end.offset {
		return nil, nil
	}
	return b.between(ctx, partition, max(start, from.offset-recentRecords), from, end.offset)
}

// uncut returns ErrGap if what was before a place has made room for something else.
func (b *Broker) uncut(ctx context.Context, partition uint32, at place) error {
	var ask kadm.OffsetForLeaderEpochRequest
	ask.Add(b.opts.Topic, int32(partition), at.epoch)
	return again(ctx, func() error {
		answers, err := b.admin.OffsetForLeaderEpoch(ctx, ask)
		answer, ok := answers[b.opts.Topic][int32(partition)]
		switch {
		case ok && answer.Err != nil:
			return answer.Err
		case ok && answer.EndOffset < at.offset: // or there was no such epoch: -1
			return gateway.ErrGap
		case !ok && err == nil:
			return kerr.UnknownTopicOrPartition
		case !ok:
			return err
		}
		return nil
	})
}

// between reads what is behind a place, up to an offset, and for their ids records from first on.
func (b *Broker) between(ctx context.Context, partition uint32, first int64, from place, end int64) (recs []gateway.Record, err error) {
	client, err := kgo.NewClient(b.opts.reader(kgo.WithContext(ctx), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		b.opts.Topic: {int32(partition): kgo.NewOffset().At(first)},
	}))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	size := 0
	var known recent
	for next := (place{from.epoch, first}); next.offset < end; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); errors.Is(err, kerr.OffsetOutOfRange) && next.offset < from.offset {
			return b.between(ctx, partition, from.offset, from, end) // those are not kept any more
		} else if errors.Is(err, kerr.OffsetOutOfRange) {
			return nil, gateway.ErrGap
		} else if err != nil {
			return nil, err
		}
		for _, r := range fetches.Records() {
			if r.Offset >= end {
				break
			}
			repeats, before := known.repeats(r), r.Offset < from.offset
			if r.Offset != next.offset && !before {
				return nil, gateway.ErrGap
			}
			next = place{r.LeaderEpoch, r.Offset + 1}
			if before || repeats || isCut(r.Value) && from.epoch >= r.LeaderEpoch { // from is behind what that tells
				continue
			}
			rec, ok := decodeRecord(r.Value)
			if size += len(r.Value); !ok || size > b.opts.HistoryBytes {
				return nil, gateway.ErrGap
			}
			rec.Position = b.position(partition, next)
			recs = append(recs, rec)
		}
	}
	return recs, nil
}

// endOf is where the next record of a partition goes.
func (b *Broker) endOf(ctx context.Context, partition uint32) (place, error) {
	return b.list(ctx, b.admin.ListEndOffsets, partition)
}

// bounds are the first offset of a partition, and its end, which is asked for first.
func (b *Broker) bounds(ctx context.Context, partition uint32) (start int64, end place, err error) {
	if end, err = b.endOf(ctx, partition); err != nil {
		return 0, end, err
	}
	first, err := b.list(ctx, b.admin.ListStartOffsets, partition)
	return first.offset, end, err
}

type listing func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error)

func (b *Broker) list(ctx context.Context, offsets listing, partition uint32) (found place, err error) {
	err = again(ctx, func() error {
		all, err := offsets(ctx, b.opts.Topic)
		one, ok := all.Lookup(b.opts.Topic, int32(partition))
		if !ok {
			return cmp.Or(err, error(kerr.UnknownTopicOrPartition))
		}
		found = place{one.LeaderEpoch, one.Offset}
		return one.Err
	})
	return found, err
}

// again does something until it goes well, or goes wrong for good: a leader that is new may not know yet
// where its partition ends.
func again(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !kerr.IsRetriable(err) {
			return err
		}
		if rest(ctx, 50*time.Millisecond) != nil {
			return err
		}
	}
}
