package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// newCache is of a node that waits for Redis however busy the machine is.
func newCache(t testing.TB, client goredis.UniversalClient, store message.Store, o redis.CacheOptions) *redis.Cache {
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	if o.OnError == nil {
		o.OnError = func(err error) { t.Error(err) }
	}
	c := redis.NewCache(client, store, o)
	t.Cleanup(func() { c.Close() })
	return c
}

// fleet is nodes that take turns: what one does, another looks at.
type fleet struct {
	nodes []message.Store
	turn  *atomic.Int64
}

func (f fleet) next() message.Store { return f.nodes[int(f.turn.Add(1))%len(f.nodes)] }

func (f fleet) Append(ctx context.Context, channel string, batch []message.Message) error {
	return f.next().Append(ctx, channel, batch)
}

func (f fleet) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	return f.next().Page(ctx, channel, q)
}

func (f fleet) Edit(ctx context.Context, m message.Message) error { return f.next().Edit(ctx, m) }

func (f fleet) Delete(ctx context.Context, channel string, ids ...message.ID) ([]message.ID, error) {
	return f.next().Delete(ctx, channel, ids...)
}

// fleets are new ones on a server that all cases share; a page is asked of two nodes.
func fleets(client goredis.UniversalClient) func(t testing.TB) message.Store {
	return func(t testing.TB) message.Store {
		store, o := message.NewMemoryStore(), redis.CacheOptions{Name: fmt.Sprint("fleet ", names.Add(1)), TTL: time.Hour}
		one, two := newCache(t, client, store, o), newCache(t, client, store, o)
		return asksTwice{fleet{[]message.Store{one, two, one}, new(atomic.Int64)}}
	}
}

// asksTwice asks for each page a second time, when it is kept, and returns that.
type asksTwice struct{ message.Store }

func (s asksTwice) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	if _, err := s.Store.Page(ctx, channel, q); err != nil {
		return nil, err
	}
	return s.Store.Page(ctx, channel, q)
}

func TestCache(t *testing.T) {
	t.Parallel()
	messagetest.Store(t, fleets(connect(t, servers.Redis(t).Addr())))
}

func TestCacheOnCluster(t *testing.T) {
	t.Parallel()
	messagetest.Store(t, fleets(connect(t, servers.RedisCluster(t, 3, 0).Addrs()...)))
}

// counter counts how often a client asks.
type counter struct{ trips atomic.Int64 }

func (c *counter) DialHook(next goredis.DialHook) goredis.DialHook          { return next }
func (c *counter) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }
func (c *counter) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		c.trips.Add(1)
		return next(ctx, cmds)
	}
}

// What one node has read, others have of Redis, in one round trip, also when newer messages come.
func TestCacheIsShared(t *testing.T) {
	t.Parallel()
	addr := servers.Redis(t).Addr()
	client, trips := connect(t, addr), new(counter)
	client.AddHook(trips)
	store := message.NewMemoryStore()
	one := newCache(t, connect(t, addr), store, redis.CacheOptions{TTL: time.Hour})
	two := newCache(t, client, store, redis.CacheOptions{TTL: time.Hour})
	channel := "a}b\x00\xff{c" // any bytes
	all := messages(channel, 1, 100)
	want(t, one, channel, message.Query{Limit: 10}, nil)
	want(t, two, channel, message.Query{Limit: 10}, nil)
	must(t, one.Append(t.Context(), channel, all))
	older := message.Query{Before: 51, Limit: 10}
	want(t, one, channel, older, all[40:50])
	must(t, one.Append(t.Context(), channel, messages(channel, 101, 110)))
	before := trips.trips.Load()
	want(t, two, channel, older, all[40:50])
	if s := two.Stats(); s.Reads != 0 || s.Hits != 2 || trips.trips.Load() != before+1 {
		t.Errorf("two pages that are there cost %+v, the second %d round trips", s, trips.trips.Load()-before)
	}
	_, err := two.Delete(t.Context(), channel, 45)
	must(t, err)
	want(t, one, channel, older, append(all[39:44:44], all[45:50]...))
	if s := one.Stats(); s.Reads != 3 || s.Kept != 3 {
		t.Errorf("three pages that were not there were %+v", s)
	}

	// Whoever asks for what is in force is not answered from copies.
	must(t, store.Edit(t.Context(), message.Message{ID: 50, Channel: channel, Content: "past the cache"}))
	page, err := one.Page(message.WithStaleness(t.Context(), 0), channel, message.Query{Around: 50, Limit: 1})
	if err != nil || len(page) != 1 || page[0].Content != "past the cache" {
		t.Errorf("got %+v, %v", page, err)
	}
}

// A page is kept no longer than TTL, and no more than MaxPages and MaxBytes.
func TestCacheBounds(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	store := message.NewMemoryStore()
	c := newCache(t, client, store, redis.CacheOptions{TTL: 200 * time.Millisecond})
	must(t, c.Append(t.Context(), "a", messages("a", 1, 20)))
	must(t, store.Edit(t.Context(), message.Message{ID: 1, Channel: "a", Content: "past the cache"}))
	eventually(t, "a page after its time", func() error {
		page, err := c.Page(t.Context(), "a", message.Query{Limit: 20})
		if err != nil || page[0].Content != "past the cache" {
			return fmt.Errorf("%v, %v", page, err)
		}
		return nil
	})
	eventually(t, "an empty Redis", func() error {
		if n, err := client.DBSize(t.Context()).Result(); err != nil || n > 0 {
			return fmt.Errorf("%d keys, %v", n, err)
		}
		return nil
	})

	small := newCache(t, client, store, redis.CacheOptions{Name: "small", TTL: time.Hour, MaxPages: 3, MaxBytes: 100})
	must(t, store.Append(t.Context(), "b", []message.Message{{ID: 1, Content: strings.Repeat("x", 101)}}))
	for range 2 {
		if _, err := small.Page(t.Context(), "b", message.Query{Limit: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		q := message.Query{After: message.ID(i + 1), Limit: 1}
		want(t, small, "a", q, messages("a", i+2, i+2))
		want(t, small, "a", q, messages("a", i+2, i+2))
	}
	if s := small.Stats(); s.Reads != 12 || s.Kept != 10 || s.Hits != 10 {
		t.Errorf("pages that are too long or too many: %+v", s)
	}
	pages, spans := client.HLen(t.Context(), "gatehouse:cache:{small/a}:pages").Val(), client.HLen(t.Context(), "gatehouse:cache:{small/a}:spans").Val()
	if pages != 3+2 || spans != 3 {
		t.Errorf("%d pages with two other fields, and %d spans", pages, spans)
	}
}

// A Redis that is away, or does not answer, costs pages a moment once, and writes one each; nothing
// fails but what is strict.
func TestCacheWithoutRedis(t *testing.T) {
	t.Parallel()
	client := connect(t, deaf(t))
	var told atomic.Int64
	o := redis.CacheOptions{Timeout: 100 * time.Millisecond, OnError: func(error) { told.Add(1) }}
	store := message.NewMemoryStore()
	c := newCache(t, client, store, o)
	must(t, c.Append(t.Context(), "a", messages("a", 1, 3)))
	began := time.Now()
	for range 1000 {
		want(t, c, "a", message.Query{Limit: 3}, messages("a", 1, 3))
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("1,000 pages took %v", took)
	}
	if s := c.Stats(); s.Untold != 1 || s.Reads != 1000 || s.Failed != uint64(told.Load()) || s.Failed < 3 {
		t.Errorf("%d errors, and %+v", told.Load(), s)
	}

	// Whoever has less time than the timeout gets what he asks for too.
	hasty := newCache(t, client, store, redis.CacheOptions{OnError: func(error) {}}) // whose Timeout is patience
	short, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if page, err := hasty.Page(short, "a", message.Query{Limit: 3}); err != nil || len(page) != 3 {
		t.Errorf("a page within two seconds of patience was %v, %v", page, err)
	}
	if err := hasty.Append(short, "a", messages("a", 3, 3)); err != nil {
		t.Errorf("an Append within the second was %v", err)
	}

	o.Strict = true
	strict := newCache(t, client, store, o)
	if err := strict.Append(t.Context(), "a", messages("a", 5, 5)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a strict Append returned %v", err)
	}
	if err := strict.Edit(t.Context(), message.Message{ID: 1, Channel: "a"}); err == nil {
		t.Error("a strict Edit returned nil")
	}
	if deleted, err := strict.Delete(t.Context(), "a", 1); err == nil || len(deleted) > 0 {
		t.Errorf("a strict Delete returned %v, %v", deleted, err)
	}
	want(t, store, "a", message.Query{Limit: 9}, messages("a", 1, 3))

	began = time.Now()
	if err := c.Close(); err != nil && time.Since(began) < time.Second || time.Since(began) > 10*time.Second {
		t.Errorf("Close returned %v after %v", err, time.Since(began))
	}
	if _, err := c.Page(t.Context(), "a", message.Query{Limit: 1}); !errors.Is(err, message.ErrClosed) {
		t.Errorf("Page after Close returned %v", err)
	}
	if err := c.Append(t.Context(), "a", messages("a", 6, 6)); !errors.Is(err, message.ErrClosed) {
		t.Errorf("Append after Close returned %v", err)
	}
}

// Where the memory is full, pages are not kept, and those that are there are forgotten as ever.
func TestCacheFull(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	store, refused := message.NewMemoryStore(), 0
	c := newCache(t, client, store, redis.CacheOptions{TTL: time.Hour, OnError: func(err error) {
		if !goredis.HasErrorPrefix(err, "OOM") {
			t.Error(err)
		}
		refused++
	}})
	must(t, c.Append(t.Context(), "a", messages("a", 1, 3)))
	want(t, c, "a", message.Query{Limit: 2}, messages("a", 2, 3))
	must(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	must(t, c.Append(t.Context(), "a", messages("a", 4, 4)))
	want(t, c, "a", message.Query{Limit: 2}, messages("a", 3, 4))
	want(t, c, "a", message.Query{Limit: 2}, messages("a", 3, 4))
	if s := c.Stats(); s.Reads != 3 || s.Kept != 1 || refused != 2 {
		t.Errorf("%d were refused, %+v", refused, s)
	}
}

// A page of 50 messages that is in Redis, and for comparison how long the server takes to say PONG.
func BenchmarkCachePage(b *testing.B) {
	client := connect(b, servers.Redis(b).Addr())
	c := newCache(b, client, message.NewMemoryStore(), redis.CacheOptions{TTL: time.Hour})
	all := messages("a", 1, 50)
	for i := range all {
		all[i].Content = strings.Repeat("x", 100)
	}
	if err := c.Append(b.Context(), "a", all); err != nil {
		b.Fatal(err)
	}
	b.Run("hit", func(b *testing.B) {
		for b.Loop() {
			if page, err := c.Page(b.Context(), "a", message.Query{Limit: 50}); err != nil || len(page) != 50 {
				b.Fatal(page, err)
			}
		}
	})
	b.Run("ping", func(b *testing.B) {
		for b.Loop() {
			if err := client.Ping(b.Context()).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func messages(channel string, first, last int) (list []message.Message) {
	for id := first; id <= last; id++ {
		list = append(list, message.Message{ID: message.ID(id), Channel: channel, Author: "ann", Content: fmt.Sprint("said ", id)})
	}
	return list
}

func show(page []message.Message) (text string) {
	for _, m := range page {
		text += fmt.Sprintf("%d:%s ", m.ID, m.Content)
	}
	return text
}

func want(t *testing.T, s message.Store, channel string, q message.Query, want []message.Message) {
	t.Helper()
	if got, err := s.Page(t.Context(), channel, q); err != nil || show(got) != show(want) {
		t.Errorf("%+v: got %s, %v, want %s", q, show(got), err, show(want))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
