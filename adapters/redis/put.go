package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Put is of message.Queue. The items of one partition, and so of one key, are put together or
// not at all.
func (q *Queue) Put(ctx context.Context, items ...message.Item) error {
	if len(items) == 0 {
		return nil
	}
	var calls []call
	args := make(map[int][]any)
	for _, it := range items {
		p := q.partitionOf(it.Key)
		if args[p] == nil {
			args[p] = []any{q.channel(), p}
		}
		args[p] = append(args[p], it.Key, it.ID, it.Data)
	}
	for p, args := range args {
		calls = append(calls, putScript.call([]string{q.of(p, "items"), q.of(p, "idle")}, args...))
	}
	return wrap("put", q.do(ctx, calls))
}

func wrap(what string, err error) error {
	if err == nil || errors.Is(err, message.ErrClosed) {
		return err
	}
	return fmt.Errorf("redis: %s: %w", what, err)
}
