package cassandra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

func refuses(t *testing.T, _ *servers.Cluster, s *Store) {
	channel := fresh("channel")
	batch := saidAll(channel, 0, 9)
	batch[1].Content, batch[2].Author, batch[3].Nonce = "\xff", "\xff", "\xff"
	batch[4].ID = 1 << 63
	batch[5].Data = make([]byte, 1<<20)
	batch[6].Content, batch[7].Data = "a\x00b", []byte("\xff\x00")
	batch[9] = said(channel, 8) // in one batch: the first counts
	batch[9].Content = "zzz"
	var refused message.BatchError
	if err := s.Append(t.Context(), channel, batch); !errors.As(err, &refused) {
		t.Fatal(err)
	}
	for i := range batch {
		if want := i >= 1 && i <= 5; (refused[i] != nil) != want {
			t.Errorf("message %d: %v", i, refused[i])
		}
	}
	wantContents(t, s, channel, "message 0;a\x00b;message 7;message 8;")
	for _, none := range []string{"", "\xff", strings.Repeat("x", 65_001)} {
		if err := s.Append(t.Context(), none, batch[6:8]); !errors.As(err, &refused) || len(refused) != 2 {
			t.Errorf("channel %.20q: %v", none, err)
		}
		page, e1 := s.Page(t.Context(), none, message.Query{Limit: 1})
		deleted, e2 := s.Delete(t.Context(), none, 1)
		if len(page)+len(deleted) > 0 || errors.Join(e1, e2) != nil {
			t.Errorf("channel %.20q: %v, %v", none, e1, e2)
		}
		if err := s.Edit(t.Context(), said(none, 0)); !errors.Is(err, message.ErrNotFound) {
			t.Errorf("edit in channel %.20q: %v", none, err)
		}
	}
	longest := strings.Repeat("x", 65_000)
	must(t, s.Append(t.Context(), longest, batch[:1]))
	wantContents(t, s, longest, "message 0;")
	for _, edit := range []message.Message{{Content: "\xff"}, {Data: make([]byte, 1<<20)}} {
		edit.Channel, edit.ID = channel, batch[0].ID
		if err := s.Edit(t.Context(), edit); err == nil || errors.Is(err, message.ErrNotFound) {
			t.Errorf("an edit that cannot be kept: %v", err)
		}
	}
	if err := s.Edit(t.Context(), message.Message{Channel: channel, ID: 1 << 63}); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("edit above all ids: %v", err)
	}
	if deleted, err := s.Delete(t.Context(), channel, 1<<63, batch[0].ID); err != nil || !slices.Equal(deleted, []message.ID{batch[0].ID}) {
		t.Errorf("deleted above all ids: %v, %v", deleted, err)
	}
}

// revived has messages deleted and appended again, by one batch with others: they are back, and
// behave as all do.
func revived(t *testing.T, _ *servers.Cluster, s *Store) {
	ctx, channel := t.Context(), fresh("channel")
	must(t, s.Append(ctx, channel, saidAll(channel, 1, 3)))
	if _, err := s.Delete(ctx, channel, said(channel, 1).ID, said(channel, 2).ID); err != nil {
		t.Fatal(err)
	}
	again := saidAll(channel, 1, 4)
	again[0].Content = "again"
	must(t, s.Append(ctx, channel, again))
	wantContents(t, s, channel, "again;message 2;message 3;message 4;")
	must(t, s.Append(ctx, channel, saidAll(channel, 1, 4)))
	wantContents(t, s, channel, "again;message 2;message 3;message 4;")
	edit := said(channel, 1)
	edit.Content = "edited"
	must(t, s.Edit(ctx, edit))
	must(t, s.Append(ctx, channel, again))
	wantContents(t, s, channel, "edited;message 2;message 3;message 4;")
	if deleted, err := s.Delete(ctx, channel, edit.ID); err != nil || len(deleted) != 1 {
		t.Errorf("deleted again: %v, %v", deleted, err)
	}
	wantContents(t, s, channel, "message 2;message 3;message 4;")
}

// late has the write of an Append that was given up reach the nodes after what was done later.
func late(t *testing.T, _ *servers.Cluster, s *Store) {
	ctx, channel := t.Context(), fresh("channel")
	stamp := s.mirrored(time.Now())
	must(t, s.Append(ctx, channel, saidAll(channel, 1, 3)))
	edit := said(channel, 1)
	edit.Content = "edited"
	must(t, s.Edit(ctx, edit))
	if _, err := s.Delete(ctx, channel, said(channel, 2).ID); err != nil {
		t.Fatal(err)
	}
	for _, m := range saidAll(channel, 1, 3) {
		p := partition{channel, s.bucketOf(m.ID)}
		must(t, s.session.Query(s.cql.insert, append(row(p, m), stamp, 0)...).ExecContext(ctx))
	}
	wantContents(t, s, channel, "edited;message 3;")
}

// ahead has a process write whose clock is an hour, and a century, ahead.
func ahead(t *testing.T, c *servers.Cluster, s *Store) {
	for _, by := range []time.Duration{time.Hour, 100 * 365 * 24 * time.Hour} {
		ctx, channel := t.Context(), fresh("channel")
		fast := open(t, urlOf(c, "chat"), Options{})
		fast.mirrored(time.Now().Add(by)) // all that follow are lower
		must(t, fast.Append(ctx, channel, saidAll(channel, 1, 3)))
		edit := said(channel, 1)
		edit.Content = "edited"
		must(t, s.Edit(ctx, edit))
		if deleted, err := s.Delete(ctx, channel, said(channel, 2).ID); err != nil || len(deleted) != 1 {
			t.Errorf("deleted: %v, %v", deleted, err)
		}
		wantContents(t, s, channel, "edited;message 3;")
		wantContents(t, fast, channel, "edited;message 3;")
	}
}

// contended has two processes delete, revive and edit the same messages.
func contended(t *testing.T, c *servers.Cluster, s *Store) {
	const n = 20
	other := open(t, urlOf(c, "chat"), Options{})
	channel := fresh("channel")
	must(t, s.Append(t.Context(), channel, saidAll(channel, 0, n)))
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		got     = make(map[message.ID]int)
		unknown = make(map[message.ID]bool)
		edits   int
	)
	for _, s := range []*Store{s, other} {
		all.Go(func() {
			for i := range n {
				id := said(channel, i).ID
				deleted, err := s.Delete(t.Context(), channel, id)
				mu.Lock()
				unknown[id] = unknown[id] || err != nil
				for _, id := range deleted {
					got[id]++
				}
				mu.Unlock()
			}
		})
		all.Go(func() {
			for i := range n {
				err := s.Edit(t.Context(), said(channel, i))
				mu.Lock()
				if err != nil && !errors.Is(err, message.ErrNotFound) {
					edits++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for i := range n {
		if id := said(channel, i).ID; got[id] > 1 || got[id] == 0 && !unknown[id] {
			t.Errorf("message %d was deleted by %d callers", i, got[id])
		}
	}
	if _, err := s.Delete(t.Context(), channel, idsOf(saidAll(channel, 0, n-1))...); err != nil { // what is left after errors
		t.Fatal(err)
	}
	wantContents(t, s, channel, fmt.Sprintf("message %d;", n))
	if len(got) < n/2 {
		t.Errorf("only %d of %d deletions succeeded", len(got), n)
	}
	t.Logf("of %d messages %d were deleted by a caller who knows; %d edits failed", n, len(got), edits)
}

func idsOf(list []message.Message) (ids []message.ID) {
	for _, m := range list {
		ids = append(ids, m.ID)
	}
	return ids
}

// expires has messages be forgotten after their time, edited or not, and come back whole.
func expires(t *testing.T, c *servers.Cluster, s *Store) {
	short := open(t, urlOf(c, "chat"), Options{TTL: 2500 * time.Millisecond})
	if short.ttl != 3 {
		t.Errorf("2.5 s are %d", short.ttl)
	}
	ctx, channel := t.Context(), fresh("channel")
	began := time.Now()
	must(t, s.Append(ctx, channel, saidAll(channel, 1, 1)))
	must(t, short.Append(ctx, channel, saidAll(channel, 1, 4))) // 1 is there, and stays
	edit := said(channel, 2)
	edit.Content = "edited"
	edited := s.Edit(ctx, edit)
	if got := contents(t, s, channel); got != "message 1;edited;message 3;message 4;" && time.Since(began) < 3*time.Second {
		t.Errorf("at first: %q, %v", got, edited)
	}
	eventually(t, "three are forgotten", func() bool { return contents(t, s, channel) == "message 1;" })
	if took := time.Since(began); took < 2*time.Second || took > 8*time.Second {
		t.Errorf("forgotten after %v", took)
	}
	if deleted, err := s.Delete(ctx, channel, edit.ID); err != nil || len(deleted) > 0 {
		t.Errorf("deleted what had been forgotten: %v, %v", deleted, err)
	}
	if err := s.Edit(ctx, edit); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("edited what had been forgotten: %v", err)
	}
	must(t, s.Append(ctx, channel, saidAll(channel, 1, 4)))
	wantContents(t, s, channel, "message 1;message 2;message 3;message 4;")
}

// quiet counts what pages of a channel cost that has a message now and one eight years ago, and
// of one with many buckets.
func quiet(t *testing.T, c *servers.Cluster, _ *Store) {
	var queries atomic.Int64
	s := open(t, urlOf(c, "chat"), Options{Cluster: func(config *gocql.ClusterConfig) {
		config.QueryObserver = observer(func() { queries.Add(1) })
	}})
	const hour = 3600
	ctx, channel := t.Context(), fresh("channel")
	must(t, s.Append(ctx, channel, []message.Message{said(channel, -8*365*24*hour), said(channel, 0)}))
	cost := func(q message.Query, want int64) {
		t.Helper()
		before := queries.Load()
		page, err := s.Page(ctx, channel, q)
		if err != nil || len(page) != q.Limit {
			t.Fatal(page, err)
		}
		if got := queries.Load() - before; got != want {
			t.Errorf("%+v was %d reads, want %d", q, got, want)
		}
	}
	cost(message.Query{Limit: 1}, 2)
	cost(message.Query{Limit: 2}, 3)
	cost(message.Query{Limit: 1, Before: said(channel, -1).ID}, 2)
	cost(message.Query{Limit: 1, After: said(channel, -7*365*24*hour).ID}, 2)

	channel = fresh("channel")
	var many []message.Message
	for n := range 40 {
		many = append(many, said(channel, n*24*hour))
	}
	must(t, s.Append(ctx, channel, many))
	cost(message.Query{Limit: 40}, 1+40)
	cost(message.Query{Limit: 8, Before: said(channel, 30*24*hour).ID}, 1+1+2+4+1)
	before := queries.Load()
	must(t, s.Append(ctx, channel, many[:1]))
	if got := queries.Load() - before; got != 1 {
		t.Errorf("to append to a known bucket was %d queries beside the batch, want 1", got)
	}
}

type observer func()

func (o observer) ObserveQuery(context.Context, gocql.ObservedQuery) { o() }

// chunked has a batch that needs several statements, of a bucket and of several.
func chunked(t *testing.T, _ *servers.Cluster, s *Store) {
	channel := fresh("channel")
	batch := saidAll(channel, 0, 250)
	for i := range 10 {
		batch[i].Data = make([]byte, 30<<10)
	}
	batch[20].Data = make([]byte, 900<<10)
	batch = append(batch, said(channel, 36_000))
	must(t, s.Append(t.Context(), channel, batch))
	page, err := s.Page(t.Context(), channel, message.Query{Limit: message.MaxPage})
	must(t, err)
	if len(page) != len(batch) {
		t.Fatalf("%d of %d are there", len(page), len(batch))
	}
	for i, m := range page {
		if m.ID != batch[i].ID || len(m.Data) != len(batch[i].Data) {
			t.Fatalf("message %d is %d with %d bytes", i, m.ID, len(m.Data))
		}
	}
}

// openedByMany has processes find no keyspace, through different nodes, all at once, a few times.
func openedByMany(t *testing.T, c *servers.Cluster, _ *Store) {
	for range *rounds {
		openNew(t, c, fresh("many"))
	}
}

func openNew(t *testing.T, c *servers.Cluster, keyspace string) {
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			url := "cassandra://" + c.Addrs()[i%3] + "/" + keyspace
			s, err := Open(within(t, time.Minute), url, Options{Replicas: 3})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if s.bucket != defaultBucket {
				t.Errorf("buckets of %v", s.bucket)
			}
			if err := s.Append(t.Context(), "7", saidAll("7", 10*i, 10*i+9)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := open(t, urlOf(c, keyspace), Options{})
	if page, err := s.Page(t.Context(), "7", message.Query{Limit: 100}); err != nil || len(page) != 60 {
		t.Errorf("%d of 60 are there: %v", len(page), err)
	}
	if err := s.session.AwaitSchemaAgreement(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
}

func unfit(t *testing.T, c *servers.Cluster, s *Store) {
	for _, tt := range []struct {
		name, keyspace string
		o              Options
		want           error
	}{
		{"no keyspace", "nowhere", Options{}, ErrKeyspace},
		{"as they are", "chat", Options{Bucket: time.Hour}, nil},
		{"another length", "chat", Options{Bucket: 2 * time.Hour}, ErrBucket},
	} {
		other, err := Open(within(t, time.Minute), urlOf(c, tt.keyspace), tt.o)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if err == nil {
			other.Close()
		}
	}
	set := func(v int) {
		must(t, s.session.Query(`UPDATE chat.gatehouse_settings SET version = ? WHERE id = 0 IF EXISTS`, v).ExecContext(t.Context()))
	}
	set(version + 1)
	if _, err := Open(within(t, time.Minute), urlOf(c, "chat"), Options{}); !errors.Is(err, ErrTooNew) {
		t.Errorf("tables of a newer version: %v", err)
	}
	set(version)
}
