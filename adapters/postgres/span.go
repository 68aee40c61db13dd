package postgres

import (
	"context"
	"iter"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// span is the ids from low to high, both of them included.
//
// A statement over ten years takes twenty times as long as one over two months to be planned, and
// most pages are of late. So what is read comes in spans: two months, then eight, then 32, until there
// is enough.
type span struct{ low, high int64 }

const firstSpan, longerBy = 2, 4

// backwards parts the ids from low to high into spans, the newest first. After now there is hardly anything.
func backwards(low, high int64, now month) iter.Seq[span] {
	return func(yield func(span) bool) {
		m := min(now, monthOfID(high)) + 1
		for months := month(firstSpan); low <= high; months *= longerBy {
			m -= months
			from := max(low, m.start())
			if !yield(span{from, high}) {
				return
			}
			high = from - 1
		}
	}
}

// forwards does it with the oldest first.
func forwards(low, high int64, now month) iter.Seq[span] {
	return func(yield func(span) bool) {
		m := monthOfID(low)
		for months := month(firstSpan); low <= high; months *= longerBy {
			m += months
			to := high
			if m <= now {
				to = min(to, m.start()-1)
			}
			if !yield(span{low, to}) || to == high {
				return
			}
			low = to + 1
		}
	}
}

func monthOfID(id int64) month { return monthOf(message.ID(id).Time()) }

// walk reads span after span until it has as much as it may.
func walk[T any](spans iter.Seq[span], limit int, read func(s span, limit int) ([]T, error)) ([]T, error) {
	var list []T
	for s := range spans {
		part, err := read(s, limit-len(list))
		if err != nil {
			return nil, err
		}
		if list = append(list, part...); len(list) >= limit {
			break
		}
	}
	return list, nil
}

// collect returns what a statement returns.
func collect[T any](ctx context.Context, pool *pgxpool.Pool, read pgx.RowToFunc[T], statement string, args ...any) (list []T, err error) {
	err = retry(ctx, func() error {
		rows, err := pool.Query(ctx, statement, args...)
		if err == nil {
			list, err = pgx.CollectRows(rows, read)
		}
		return err
	})
	return list, err
}
