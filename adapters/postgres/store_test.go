package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/jackc/pgx/v5"
)

// storeTests have a schema of their own each.
var storeTests = map[string]func(t *testing.T, url string){
	"refuses what it cannot keep":              refuses,
	"reads nothing where nothing can be":       nowhere,
	"a constraint of the application's":        constraint,
	"a batch of many bytes":                    heavy,
	"months are made ahead and on demand":      monthsAreMade,
	"a month is made while others write":       monthMeanwhile,
	"a month that was dropped":                 dropped,
	"opened by many at a time":                 openedByMany,
	"opened without the right to make tables":  withoutRights,
	"made by a newer version":                  tooNew,
	"an upgrade that fails leaves nothing":     halfMade,
	"overlapping batches":                      overlapping,
	"the index forgets no word of a long text": longText,
	"the pool is bounded":                      bounded,
}

func refuses(t *testing.T, url string) {
	s := opened(t, url)
	batch := make([]message.Message, 9)
	for i := range batch {
		batch[i] = said("7", i)
	}
	batch[1].Content = "a\x00b"
	batch[3].Author = "\xff"
	batch[4].Nonce = "\x00"
	batch[8].ID = 1 << 63
	var refused message.BatchError
	if err := s.Append(t.Context(), "7", batch); !errors.As(err, &refused) {
		t.Fatal(err)
	}
	for i := range batch {
		if want := i == 1 || i == 3 || i == 4 || i == 8; (refused[i] != nil) != want {
			t.Errorf("message %d: %v", i, refused[i])
		}
	}
	if got := contents(t, s, "7"); got != "message 0;message 2;message 5;message 6;message 7;" {
		t.Errorf("stored: %s", got)
	}
	for _, channel := range []string{"a\x00b", "\xff", random(1000)} {
		if err := s.Append(t.Context(), channel, batch[5:7]); !errors.As(err, &refused) || len(refused) != 2 {
			t.Errorf("channel %.20q: %v", channel, err)
		}
	}
	edit := said("7", 0)
	edit.Content = "\x00"
	if err := s.Edit(t.Context(), edit); err == nil || errors.Is(err, message.ErrNotFound) {
		t.Errorf("an edit with a NUL: %v", err)
	}
	err := s.Index().Add(t.Context(), []message.Message{{ID: 1, Channel: "\x00", Content: "x"}, {ID: 1, Channel: "7", Content: "a\x00b"}})
	if !errors.As(err, &refused) || len(refused) != 1 || refused[0] == nil {
		t.Errorf("indexed: %v", err)
	}
	if hits, err := s.Index().Search(t.Context(), message.Search{Text: "b", Limit: 9}); err != nil || len(hits) != 1 {
		t.Errorf("found: %v, %v", hits, err)
	}
}

// random is text that does not compress.
func random(n int) string {
	text, x := "", uint32(1)
	for range n {
		x = x*1664525 + 1013904223
		text += fmt.Sprintf("%08x", x)
	}
	return text
}

func nowhere(t *testing.T, url string) {
	s := opened(t, url)
	if err := s.Append(t.Context(), "7", []message.Message{said("7", 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Index().Add(t.Context(), []message.Message{said("7", 1)}); err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"\x00", "\xff"} {
		page, e1 := s.Page(t.Context(), channel, message.Query{Limit: 1})
		deleted, e2 := s.Delete(t.Context(), channel, 1)
		e3 := s.Index().Remove(t.Context(), channel, 1)
		if len(page)+len(deleted) > 0 || errors.Join(e1, e2, e3) != nil {
			t.Errorf("channel %q: %v, %v, %v", channel, e1, e2, e3)
		}
		m := said(channel, 1)
		if err := s.Edit(t.Context(), m); !errors.Is(err, message.ErrNotFound) {
			t.Errorf("edit in channel %q: %v", channel, err)
		}
		for _, q := range []message.Search{{Channels: []string{channel}}, {Author: channel}} {
			q.Text, q.Limit = "message", 9
			if hits, err := s.Index().Search(t.Context(), q); err != nil || len(hits) > 0 {
				t.Errorf("search %+v: %v, %v", q, hits, err)
			}
		}
	}
	const beyond = 1 << 63
	if err := s.Edit(t.Context(), message.Message{ID: beyond, Channel: "7"}); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("edit of an id too high: %v", err)
	}
	for q, want := range map[message.Query]int{{After: beyond}: 0, {Before: beyond}: 1, {Around: beyond}: 1, {Before: 1}: 0} {
		q.Limit = 9
		if page, err := s.Page(t.Context(), "7", q); err != nil || len(page) != want {
			t.Errorf("page %+v: %v, %v", q, page, err)
		}
	}
	if deleted, err := s.Delete(t.Context(), "7", beyond); err != nil || len(deleted) > 0 {
		t.Errorf("delete of an id too high: %v, %v", deleted, err)
	}
}

func constraint(t *testing.T, url string) {
	s := opened(t, url)
	run(t, url, "ALTER TABLE gatehouse_messages ADD CHECK (author <> 'bob')")
	batch := []message.Message{said("7", 1), said("7", 2), said("7", 100*24*3600)} // one in a new month
	batch[1].Author, batch[2].Author = "bob", "bob"
	var refused message.BatchError
	if err := s.Append(t.Context(), "7", batch); !errors.As(err, &refused) || len(refused) != 2 || refused[1] == nil || refused[2] == nil {
		t.Errorf("%v", err)
	}
	if got := contents(t, s, "7"); got != "message 1;" {
		t.Errorf("stored: %s", got)
	}
}

func heavy(t *testing.T, url string) {
	s := opened(t, url)
	var batch []message.Message
	for i := range 7 {
		batch = append(batch, said("7", i))
		batch[i].Data = make([]byte, 3<<20)
	}
	if err := s.Append(t.Context(), "7", batch); err != nil {
		t.Fatal(err)
	}
	page, err := s.Page(t.Context(), "7", message.Query{Limit: 9})
	if err != nil || len(page) != 7 || len(page[6].Data) != 3<<20 {
		t.Errorf("%d messages, %v", len(page), err)
	}
}

const partitions = `SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relispartition AND relkind = 'r'`

func monthsAreMade(t *testing.T, url string) {
	s := opened(t, url)
	now := monthOf(time.Now())
	want := func(table string, months ...month) string {
		var names []string
		for _, m := range months {
			names = append(names, m.of(table))
		}
		return strings.Join(names, " ")
	}
	if got, want := ask[string](t, url, partitions), want("gatehouse_messages", now, now+1)+" "+want("gatehouse_words", now, now+1); got != want {
		t.Errorf("after Open: %s, want %s", got, want)
	}
	// Where two months meet, the ends of time.
	border := message.At(time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC))
	for _, id := range []message.ID{1, border - 1, border, 1<<63 - 1} {
		if err := s.Append(t.Context(), "7", []message.Message{{ID: id, Channel: "7"}}); err != nil {
			t.Fatal(err)
		}
		table := ask[string](t, url, "SELECT tableoid::regclass::text FROM gatehouse_messages WHERE id = $1", int64(id))
		if want := monthOf(id.Time()).of("gatehouse_messages"); table != want {
			t.Errorf("%d, of %v, is in %s, want %s", id, id.Time(), table, want)
		}
	}
	for _, name := range []string{"gatehouse_messages_2015_01", "gatehouse_messages_2015_02", "gatehouse_words_2031_04", "gatehouse_messages_2084_09"} {
		if got := ask[string](t, url, partitions); !strings.Contains(got, name) {
			t.Errorf("%s is not among %s", name, got)
		}
	}
}

// Who makes a month waits for no transaction, and so no transaction waits for who makes a month.
func monthMeanwhile(t *testing.T, url string) {
	s := opened(t, url)
	if err := s.Append(t.Context(), "7", []message.Message{said("7", 1)}); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	_, err = c.Exec(t.Context(), "BEGIN; SELECT count(*) FROM gatehouse_words; UPDATE gatehouse_messages SET content = 'message 0'; SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Append(ctx, "7", []message.Message{said("7", 1e8)}); err != nil {
		t.Error(err)
	}
	if _, err := c.Exec(t.Context(), "COMMIT"); err != nil {
		t.Error(err)
	}
	if got := contents(t, s, "7"); got != "message 0;message 100000000;" {
		t.Errorf("stored: %s", got)
	}
}

func dropped(t *testing.T, url string) {
	s, m := opened(t, url), said("7", 1)
	add := func() {
		t.Helper()
		if err := errors.Join(s.Append(t.Context(), "7", []message.Message{m}), s.Index().Add(t.Context(), []message.Message{m})); err != nil {
			t.Fatal(err)
		}
	}
	add()
	for _, table := range []string{"gatehouse_messages", "gatehouse_words"} {
		run(t, url, "ALTER TABLE "+table+" DETACH PARTITION "+table+"_2026_01 CONCURRENTLY")
		run(t, url, "DROP TABLE "+table+"_2026_01")
	}
	hits, err := s.Index().Search(t.Context(), message.Search{Text: "message", Limit: 1})
	if got := contents(t, s, "7"); got != "" || len(hits) > 0 || err != nil {
		t.Errorf("after the drop: %s, %v, %v", got, hits, err)
	}
	add()
	if got := contents(t, s, "7"); got != "message 1;" {
		t.Errorf("stored again: %s", got)
	}
}

func openedByMany(t *testing.T, url string) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s, err := Open(t.Context(), url, Options{MaxConns: 1})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if err := s.Append(t.Context(), "7", []message.Message{said("7", i), said("7", 40*24*3600*i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func withoutRights(t *testing.T, base string) {
	opened(t, base).Append(t.Context(), "7", []message.Message{said("7", 1)})
	run(t, base, fmt.Sprintf(`GRANT USAGE ON SCHEMA %s TO clerk;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO clerk`, ask[string](t, base, "SELECT current_schema()")))
	s := opened(t, asClerk(t, base))
	m := said("7", 2)
	m.ID = message.At(time.Now())
	if err := s.Append(t.Context(), "7", []message.Message{m}); err != nil {
		t.Errorf("append to a month that is there: %v", err)
	}
	if err := s.Append(t.Context(), "7", []message.Message{{ID: 1 << 50}}); err == nil {
		t.Error("it made a month")
	}
	if got := contents(t, s, "7"); got != "message 1;message 2;" {
		t.Errorf("stored: %s", got)
	}
}

func tooNew(t *testing.T, url string) {
	opened(t, url)
	run(t, url, "UPDATE gatehouse_version SET version = 1000")
	if s, err := Open(t.Context(), url, Options{}); !errors.Is(err, ErrTooNew) {
		t.Errorf("%v, %v", s, err)
	}
}

func halfMade(t *testing.T, url string) {
	run(t, url, "CREATE TABLE gatehouse_words ()") // somebody else's
	if _, err := Open(t.Context(), url, Options{}); err == nil {
		t.Fatal("it opened")
	}
	run(t, url, "DROP TABLE gatehouse_words")
	opened(t, url)
}

func overlapping(t *testing.T, url string) {
	s := opened(t, url)
	forth, back := make([]message.Message, 200), make([]message.Message, 200)
	ids := make([]message.ID, 200)
	for i := range forth {
		forth[i], back[199-i], ids[i] = said("7", i), said("7", i), said("7", i).ID
	}
	var all sync.WaitGroup
	for _, batch := range [][]message.Message{forth, back, forth, back} {
		all.Go(func() {
			for range 5 {
				_, e := s.Delete(t.Context(), "7", ids...)
				if err := errors.Join(s.Append(t.Context(), "7", batch), s.Index().Add(t.Context(), batch), s.Index().Remove(t.Context(), "7", ids...), e); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func longText(t *testing.T, url string) {
	x := opened(t, url).Index()
	var words strings.Builder
	for i := range 130_000 { // 1.3 MB
		fmt.Fprintf(&words, "w%08d ", i)
	}
	if err := x.Add(t.Context(), []message.Message{{ID: 1, Channel: strings.Repeat("7", 2000), Content: words.String()}}); err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]int{"w00000000": 1, "w00090000 w00000001": 1, "w00129999": 0} {
		if hits, err := x.Search(t.Context(), message.Search{Text: word, Limit: 9}); err != nil || len(hits) != want {
			t.Errorf("%s: %d hits, %v", word, len(hits), err)
		}
	}
	broken := ask[int](t, url, `SELECT count(*) FROM gatehouse_words, unnest(tsvector_to_array(words)) AS word WHERE word !~ '^(w[0-9]{8}|#7+)$'`)
	if broken > 0 { // PostgreSQL does not notice that there are too many
		t.Errorf("%d words that nobody wrote", broken)
	}
}

func bounded(t *testing.T, url string) {
	s, err := Open(t.Context(), url, Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		c, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Release()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Append(ctx, "7", []message.Message{said("7", 1)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with every connection in use: %v", err)
	}
}
