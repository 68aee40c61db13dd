package redis

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Dead is of message.Queue. The order between partitions is that of the server's clock; in a
// cluster there are several.
func (q *Queue) Dead(ctx context.Context, most int) ([]message.Item, error) {
	if most < 1 {
		return nil, wrap("read the dead", ctx.Err())
	}
	calls := make([]call, q.partitions)
	for n := range calls {
		calls[n] = command("xrange", q.of(n, "dead"), "-", "+", "count", most)
	}
	if err := q.do(ctx, calls); err != nil {
		return nil, wrap("read the dead", err)
	}
	type buried struct {
		message.Item
		at int64
	}
	var all []buried
	for _, c := range calls {
		entries, _ := c.Val().([]any)
		for _, entry := range entries {
			parts, _ := entry.([]any)
			if len(parts) != 2 {
				continue
			}
			fields, _ := parts[1].([]any)
			if it, there := item(fields); there {
				all = append(all, buried{it, buriedAt(fields)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b buried) int { return cmp.Compare(a.at, b.at) })
	items := make([]message.Item, 0, min(len(all), most))
	for _, b := range all[:cap(items)] {
		items = append(items, b.Item)
	}
	return items, nil
}

// buriedAt is when an entry among the dead was buried, in µs.
func buriedAt(fields []any) int64 {
	for i := 0; i+1 < len(fields); i += 2 {
		if text, ok := fields[i+1].(string); ok && fields[i] == "t" {
			at, _ := strconv.ParseInt(text, 10, 64)
			return at
		}
	}
	return 0
}
