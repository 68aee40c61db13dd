package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// What the streams say of themselves.
const (
	metaLayout     = "gatehouse-layout" // the version of what this package keeps in JetStream
	metaPartitions = "gatehouse-partitions"

	layout = 1
)

func (q *Queue) open(ctx context.Context) error { return persist(ctx, q.openOnce) }

// persist asks again what nobody answers: a cluster that has no leader, as one that starts, hears nothing.
func persist(ctx context.Context, f func(context.Context) error) error {
	for {
		once, cancel := context.WithTimeout(ctx, patience/3)
		err := f(once)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

func (q *Queue) openOnce(ctx context.Context) (err error) {
	fresh := q.opts.Partitions
	if fresh <= 0 {
		fresh = defaultPartitions
	}
	meta := map[string]string{metaLayout: strconv.Itoa(layout), metaPartitions: strconv.Itoa(fresh)}
	common := jetstream.StreamConfig{
		Discard: jetstream.DiscardNew, MaxBytes: q.opts.MaxBytes, Storage: q.opts.Storage,
		Replicas: q.opts.Replicas, Metadata: meta,
	}
	items, side := common, common
	items.Name, items.Subjects = q.itemsName(), []string{q.subject("item", "*")}
	items.Description = "gatehouse: the items of a message queue"
	items.Retention, items.Duplicates = jetstream.WorkQueuePolicy, max(0, q.opts.Duplicates)
	side.Name, side.Subjects = q.sideName(), []string{q.subject("tries", "*"), q.subject("dead", "*")}
	side.Description = "gatehouse: the dead of a message queue, and how often its items were taken"
	side.MaxMsgsPerSubject = 1
	if q.side, err = q.ensure(ctx, side); err != nil {
		return err
	}
	if q.items, err = q.ensure(ctx, items); err != nil {
		return err
	}
	q.partitions, _ = strconv.Atoi(q.items.CachedInfo().Config.Metadata[metaPartitions])
	if q.partitions < 1 {
		return fmt.Errorf("%w: it has no %s", ErrStream, metaPartitions)
	}
	if q.opts.Partitions > 0 && q.opts.Partitions != q.partitions {
		return fmt.Errorf("%w: %d", ErrPartitions, q.partitions)
	}
	return nil
}

// ensure returns a stream, and makes it if it is not there.
func (q *Queue) ensure(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := ensure(ctx, q.js, want)
	if err != nil {
		return nil, err
	}
	return stream, check(stream.CachedInfo().Config, want)
}

func ensure(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // somebody was faster
			stream, err = js.Stream(ctx, want.Name)
		}
	}
	if disabled(err) {
		return nil, fmt.Errorf("%w (%w)", ErrNoJetStream, err)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", want.Name, err)
	}
	return stream, nil
}

// check says what of a stream that is there breaks the promises of a queue.
func check(have, want jetstream.StreamConfig) error {
	version, err := strconv.Atoi(have.Metadata[metaLayout])
	wrong := ""
	switch {
	case err != nil || version < 1:
		wrong = "it was not made by this package"
	case version > layout:
		return ErrTooNew
	case fmt.Sprint(have.Subjects) != fmt.Sprint(want.Subjects):
		wrong = fmt.Sprintf("its subjects are %v", have.Subjects)
	case have.Retention != want.Retention:
		wrong = fmt.Sprintf("its retention is %v, and not %v", have.Retention, want.Retention)
	case have.Discard != want.Discard:
		wrong = fmt.Sprintf("it discards old messages when it is full (%v)", have.Discard)
	case have.MaxAge != 0:
		wrong = fmt.Sprintf("it forgets what is older than %v", have.MaxAge)
	case max(0, have.MaxMsgsPerSubject) != want.MaxMsgsPerSubject:
		wrong = fmt.Sprintf("it has %d messages a subject", have.MaxMsgsPerSubject)
	default:
		return nil
	}
	return fmt.Errorf("%w: %s: %s", ErrStream, want.Name, wrong)
}
