package postgres

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/jackc/pgx/v5"
)

// month is a partition of the tables: the ids that were given in a month, counted from that of
// year 0, in UTC.
type month int

func monthOf(t time.Time) month { t = t.UTC(); return month(t.Year()*12 + int(t.Month()) - 1) }

// lastMonth is that of the highest id that PostgreSQL's bigint has.
var lastMonth = monthOf(message.ID(math.MaxInt64).Time())

// start is its lowest id.
func (m month) start() int64 {
	return int64(message.At(time.Date(int(m/12), time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC)))
}

// bounds are those of the partition, as SQL has them.
func (m month) bounds() string {
	if m == lastMonth {
		return fmt.Sprintf("FROM (%d) TO (MAXVALUE)", m.start())
	}
	return fmt.Sprintf("FROM (%d) TO (%d)", m.start(), (m + 1).start())
}

// of is the name of a table's partition.
func (m month) of(table string) string { return fmt.Sprintf("%s_%04d_%02d", table, m/12, m%12+1) }

// months are those that have been written to, and so are there, unless the application has
// dropped them. The next one is made with each, and is not remembered before it is used: then
// it has the one after it made.
type months struct {
	mu   sync.Mutex
	used map[month]bool
}

// missing returns the months of messages that are not known to be there.
func (k *months) missing(batch []message.Message) (missing []month) {
	k.mu.Lock()
	defer k.mu.Unlock()
	latest := month(-1)
	for _, m := range batch {
		if of := monthOf(m.ID.Time()); of != latest {
			latest = of
			if !k.used[of] {
				missing = append(missing, of)
			}
		}
	}
	return missing
}

// note says of months that they are there, or that they may have gone.
func (k *months) note(list []month, there bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.used == nil {
		k.used = make(map[month]bool)
	}
	for _, m := range list {
		k.used[m] = there
	}
}

// housed does something for which the partitions of messages have to be there, with those made
// that are not. If one has gone since it was last seen, it is made again.
func (s *Store) housed(ctx context.Context, batch []message.Message, do func() error) error {
	for again := true; ; again = false {
		if missing := s.months.missing(batch); len(missing) > 0 {
			var wanted []month
			for _, m := range missing {
				wanted = append(wanted, m, m+1)
			}
			if err := alone(ctx, s.pool, func(tx pgx.Tx) error { return makeMonths(ctx, tx, wanted) }); err != nil {
				return err
			}
			s.months.note(missing, true)
		}
		err := do()
		if !homeless(err) || !again {
			return err
		}
		s.months.note(new(months).missing(batch), false)
	}
}

// makeMonths makes those partitions that are not there. A table that is made alone and attached
// then, unlike one that is made as a partition, has nobody wait who reads or writes others.
func makeMonths(ctx context.Context, tx pgx.Tx, list []month) error {
	rows, err := tx.Query(ctx, `SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent IN ('gatehouse_messages'::regclass, 'gatehouse_words'::regclass)`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	there := make(map[string]bool)
	for _, name := range names {
		there[name] = true
	}
	for _, m := range list {
		for _, table := range []string{"gatehouse_messages", "gatehouse_words"} {
			name := m.of(table)
			if there[name] || m > lastMonth {
				continue
			}
			there[name] = true
			_, err := tx.Exec(ctx, fmt.Sprintf(`CREATE TABLE %s (LIKE %s INCLUDING ALL); ALTER TABLE %[2]s ATTACH PARTITION %[1]s FOR VALUES %[3]s`,
				name, table, m.bounds()))
			if err != nil {
				return fmt.Errorf("make %s: %w", name, err)
			}
		}
	}
	return nil
}
