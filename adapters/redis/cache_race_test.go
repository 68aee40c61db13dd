package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// Everything that may come between the steps of a page and of a write, one by one: what is asked for
// afterwards is never from before the write. Each case also runs on caches of which a line is broken,
// and has to see it.
func TestCacheRaces(t *testing.T) {
	t.Parallel()
	first, second := servers.Redis(t), servers.Redis(t)
	const forgets, ends, marks = "if string.sub(spans[i + 1], 1, 16) <= ARGV[4]", "redis.call('HDEL', KEYS[1], 'generation')", "if redis.call('EXISTS', KEYS[3]) == 1"
	tests := []struct {
		name   string
		run    func(s *scene)
		broken []string // what is replaced, and by what
	}{
		{"a page is read while a write is done", func(s *scene) {
			s.store.afterRead = func() { s.edit("new") }
			s.read()
			s.wants("new")
		}, []string{ends, "", "~= ARGV[1] then", "== '' then"}},

		{"a page is there before a write", func(s *scene) {
			s.read()
			s.edit("new")
			s.wants("new")
		}, []string{forgets, "if false"}},

		{"the write is forgotten while it is done", func(s *scene) {
			s.store.beforeWrite = func() { s.forget(); s.read() }
			s.edit("new")
			s.wants("new")
		}, []string{"local spans", "if ARGV[2] == '0' then return 1 end local spans"}},

		{"the write is forgotten while it is done, and a page kept when it is over", func(s *scene) {
			kept := make(chan struct{})
			s.store.beforeWrite = func() {
				s.forget()
				read, release := make(chan struct{}), make(chan struct{})
				s.store.afterRead = func() { close(read); <-release }
				s.after = func() { close(release); <-kept }
				go func() {
					defer close(kept)
					s.read()
				}()
				<-read
			}
			s.edit("new")
			s.wants("new")
		}, []string{ends, "if ARGV[2] ~= '0' then " + ends + " end"}},

		{"a write that failed is done later", func(s *scene) {
			s.read()
			s.store.late = true
			s.edit("new")
			s.wants("old") // and does not keep it
			s.store.deliver()
			s.wants("new")
		}, []string{marks, "if false", "ARGV[2] == '0'", "true"}},

		{"the writer is killed, and what it wrote is done later", func(s *scene) {
			s.read()
			s.store.late = true
			s.store.beforeWrite = func() { s.cut.shut.Store(true) }
			s.edit("new")
			s.wants("old")
			s.store.deliver()
			s.wants("new")
		}, []string{marks, "if false", "ARGV[2] == '0'", "true"}},

		{"Redis is not reached before a write", func(s *scene) {
			s.read()
			s.cut.shut.Store(true)
			s.store.beforeWrite = func() { s.read(); s.cut.shut.Store(false) }
			s.edit("new")
			s.wants("new")
		}, []string{"local spans", "if ARGV[2] == '0' then return 1 end local spans"}},

		{"Redis is not reached after a write", func(s *scene) {
			s.read()
			s.store.beforeWrite = func() { s.read(); s.cut.shut.Store(true) }
			s.edit("new")
			s.wants("new")
		}, []string{forgets, "if false", marks, "if false"}},

		{"what a page is of was evicted", func(s *scene) {
			s.read()
			s.evict("spans")
			s.edit("new")
			s.wants("new")
		}, []string{" and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1", ""}},

		{"pages were evicted", func(s *scene) {
			s.read()
			s.evict("pages")
			s.edit("new")
			s.wants("new")
		}, nil},

		{"what is written to was evicted", func(s *scene) {
			s.store.beforeWrite = func() { s.evict("writes"); s.read() }
			s.edit("new")
			s.wants("new")
		}, []string{"local spans", "if ARGV[2] == '0' then return 1 end local spans"}},

		{"a replica takes over that lacks a write", func(s *scene) {
			s.read()
			s.replicate()
			s.edit("new")
			s.failover()
			s.wants("new")
		}, []string{"have[1] ~= server", "false"}},

		{"a replica takes over while a page is read", func(s *scene) {
			s.store.afterRead = func() { s.replicate(); s.edit("new"); s.failover() }
			s.read()
			s.wants("new")
		}, []string{"have[1] ~= server", "false"}},

		{"two write at a time, and one is killed", func(s *scene) {
			s.read()
			s.store.beforeWrite = func() {
				s.must(s.reader.Edit(s.Context(), message.Message{ID: 2, Channel: s.channel, Content: "2"}))
				s.store.late = true
				s.cut.shut.Store(true)
			}
			s.edit("new")
			s.wants("old")
			s.store.deliver()
			s.wants("new")
		}, []string{"redis.call('ZREM', KEYS[3], ARGV[1])", "redis.call('DEL', KEYS[3])", marks, "if false"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene(t, first, second)
			tt.run(s)
			if s.problem != nil {
				t.Error(s.problem)
			}
			for i := 0; i < len(tt.broken); i += 2 {
				s := newScene(t, first, second)
				s.reader.Break(tt.broken[i], tt.broken[i+1])
				s.writer.Break(tt.broken[i], tt.broken[i+1])
				if tt.run(s); s.problem == nil {
					t.Errorf("it does not see that %q is %q", tt.broken[i], tt.broken[i+1])
				}
			}
		})
	}
}

// scene is a channel whose message 1 is "old", a node that reads, and one that writes. Another message
// is there so that there can be two writers.
type scene struct {
	*testing.T
	store          *hookedStore
	reader, writer *redis.Cache
	cut            *valve // the writer from Redis
	channel        string
	servers        [2]*servers.Server
	serves         *atomic.Int64 // which of them
	after          func()        // the next edit
	problem        error
}

func newScene(t *testing.T, nodes ...*servers.Server) *scene {
	s := &scene{T: t, store: &hookedStore{MemoryStore: message.NewMemoryStore()}, channel: fmt.Sprint("scene ", names.Add(1)),
		cut: new(valve), servers: [2]*servers.Server(nodes), serves: new(atomic.Int64)}
	o := redis.CacheOptions{TTL: time.Hour, Lease: time.Hour, OnError: func(error) {}}
	node := func() (goredis.UniversalClient, *redis.Cache) {
		client := goredis.NewClient(&goredis.Options{ContextTimeoutEnabled: true, Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, nodes[s.serves.Load()].Addr())
		}})
		t.Cleanup(func() { client.Close() })
		return client, newCache(t, client, s.store, o)
	}
	_, s.reader = node()
	client, writer := node()
	client.AddHook(s.cut)
	s.writer = writer
	s.must(s.store.Append(t.Context(), s.channel, []message.Message{{ID: 1, Content: "old"}, {ID: 2, Content: "2"}}))
	return s
}

func (s *scene) must(err error) {
	if err != nil {
		s.Error(err)
	}
}

func (s *scene) read() (content string) {
	page, err := s.reader.Page(s.Context(), s.channel, message.Query{Around: 1, Limit: 1})
	if err != nil || len(page) != 1 {
		s.Errorf("got %v, %v", page, err)
		return ""
	}
	return page[0].Content
}

// wants asks several times: what was read first may have been kept.
func (s *scene) wants(want string) {
	for range 3 {
		if got := s.read(); got != want && s.problem == nil {
			s.problem = fmt.Errorf("it reads %q, want %q", got, want)
		}
	}
}

func (s *scene) edit(content string) {
	if err := s.writer.Edit(s.Context(), message.Message{ID: 1, Channel: s.channel, Content: content}); err != nil && !errors.Is(err, errShut) {
		s.Error(err)
	}
	if after := s.after; after != nil {
		s.after = nil
		after()
	}
}

func (s *scene) client(n int) goredis.UniversalClient { return connect(s.T, s.servers[n].Addr()) }

func (s *scene) keys() (keys []string) {
	for _, what := range []string{"pages", "spans", "writes"} {
		keys = append(keys, "gatehouse:cache:{gatehouse/"+s.channel+"}:"+what)
	}
	return keys
}

func (s *scene) forget() { s.must(s.client(0).Del(s.Context(), s.keys()...).Err()) }

func (s *scene) evict(what string) {
	s.must(s.client(0).Del(s.Context(), "gatehouse:cache:{gatehouse/"+s.channel+"}:"+what).Err())
}

// replicate gives the second server what the first one has now.
func (s *scene) replicate() {
	for _, key := range s.keys() {
		if value, err := s.client(0).Dump(s.Context(), key).Result(); err == nil {
			s.must(s.client(1).RestoreReplace(s.Context(), key, time.Hour, value).Err())
		}
	}
}

// failover has the nodes find the second server.
func (s *scene) failover() {
	s.serves.Store(1)
	ids := s.client(0).ClientKillByFilter(s.Context(), "TYPE", "normal", "SKIPME", "yes")
	s.must(ids.Err())
}

// hookedStore does something once in the middle of a page, or before a write. Late, its next write
// fails and is done by deliver.
type hookedStore struct {
	*message.MemoryStore
	afterRead, beforeWrite func()
	late                   bool
	deliver                func()
}

func (s *hookedStore) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	page, err := s.MemoryStore.Page(ctx, channel, q)
	if do := s.afterRead; do != nil {
		s.afterRead = nil
		do()
	}
	return page, err
}

func (s *hookedStore) Edit(ctx context.Context, m message.Message) error {
	if do := s.beforeWrite; do != nil {
		s.beforeWrite = nil
		do()
	}
	if s.late {
		s.late = false
		s.deliver = func() { _ = s.MemoryStore.Edit(context.WithoutCancel(ctx), m) }
		return errShut
	}
	return s.MemoryStore.Edit(ctx, m)
}
