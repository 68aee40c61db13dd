package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Bury is of [message.Queue]. The items go to the topic of the dead first and are acknowledged then:
// who dies in between has them taken, and maybe buried, again; Dead shows them once.
func (q *Queue) Bury(ctx context.Context, why string, items ...message.Item) error {
	q.mu.Lock()
	entries, _ := q.ours(items) // Ack tells of the others
	q.mu.Unlock()
	records := make([]*kgo.Record, len(entries))
	for i, e := range entries {
		records[i] = &kgo.Record{Topic: q.dead(), Key: e.record.Key, Value: e.record.Value, Headers: []kgo.RecordHeader{
			{Key: headerID, Value: []byte(header(e.record, headerID))},
			{Key: headerWhy, Value: []byte(why)},
			{Key: headerFrom, Value: fmt.Appendf(nil, "%d/%d", e.record.Partition, e.record.Offset)},
		}}
	}
	if err := q.produce(ctx, "bury", records); err != nil {
		return err
	}
	return q.Ack(ctx, items...)
}

// Dead is of [message.Queue]. It reads the topic from its beginning each time.
func (q *Queue) Dead(ctx context.Context, max int) ([]message.Item, error) {
	ctx, cancel, err := q.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	items, err := q.readDead(ctx, max)
	if err != nil {
		return nil, fmt.Errorf("kafka: read the dead: %w", err)
	}
	return items, nil
}

func (q *Queue) readDead(ctx context.Context, max int) (items []message.Item, err error) {
	ends, err := q.admin.ListEndOffsets(ctx, q.dead())
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, err
	}
	end, _ := ends.Lookup(q.dead(), 0)
	starts, err := q.admin.ListStartOffsets(ctx, q.dead())
	if err == nil {
		err = starts.Error()
	}
	start, _ := starts.Lookup(q.dead(), 0)
	if err != nil || start.Offset >= end.Offset || max < 1 {
		return nil, err
	}
	client, err := kgo.NewClient(q.opts.client(kgo.WithContext(q.base), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{q.dead(): {0: kgo.NewOffset().At(start.Offset)}}))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	seen := make(map[string]bool)
	for at := start.Offset; at < end.Offset; {
		fetches := client.PollRecords(ctx, max)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		for _, r := range fetches.Records() {
			at = r.Offset + 1
			from := header(r, headerFrom)
			if seen[from] && from != "" || r.Offset >= end.Offset {
				continue
			}
			seen[from] = true
			it := itemOf(r)
			it.Why = header(r, headerWhy)
			if items = append(items, it); len(items) == max {
				return items, nil
			}
		}
	}
	return items, nil
}
