package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// Nodes write and read channels while Redis forgets what it has, in part or all of it.
func TestCacheStormOfOblivion(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	storm(t, redis.CacheOptions{TTL: time.Hour}, []string{s.Addr()}, func(ctx context.Context, client goredis.UniversalClient, n int) {
		switch n {
		case 0:
			client.FlushAll(ctx)
		case 1:
			client.ScriptFlush(ctx)
		default:
			if key, err := client.RandomKey(ctx).Result(); err == nil {
				client.Del(ctx, key)
			}
		}
	})
}

// Nodes write and read channels while connections are lost and Redis is killed. They are strict, since
// a write of which Redis was not told may be missed.
func TestCacheStormOfCrashes(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	storm(t, strict, []string{s.Addr()}, func(ctx context.Context, client goredis.UniversalClient, n int) {
		if n == 0 {
			s.Kill()
			s.Start()
			return
		}
		client.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes")
		wait(ctx, 50*time.Millisecond)
	})
}

// Nodes write and read channels while masters are killed, and replicas take over that may lack something.
func TestCacheStormOfFailovers(t *testing.T) {
	t.Parallel()
	c := servers.RedisCluster(t, 3, 1)
	next := 0
	storm(t, strict, c.Addrs(), func(ctx context.Context, client goredis.UniversalClient, n int) {
		for _, node := range c.Nodes[next:] { // one that is a master now
			next = (next + 1) % len(c.Nodes)
			if role, err := connect(t, node.Addr()).Do(ctx, "role").Slice(); err != nil || role[0] != "master" {
				continue
			}
			node.Kill()
			wait(ctx, 4*time.Second) // until its replica has taken over
			node.Start()
			eventually(t, "a replica", func() error {
				role, err := connect(t, node.Addr()).Do(ctx, "role").Slice()
				if err == nil && (role[0] != "slave" || role[3] != "connected") {
					err = fmt.Errorf("it is %v", role)
				}
				return err
			})
			return
		}
	})
}

// strict is of nodes of which each write is known to Redis before it is done.
var strict = redis.CacheOptions{TTL: time.Hour, Lease: 300 * time.Millisecond, Timeout: 2 * time.Second, Strict: true, OnError: func(error) {}}

// storm strikes while one node after another writes to each of some channels, and all read all the while.
// Every page is what the channel was at some moment of the read.
func storm(t *testing.T, o redis.CacheOptions, addrs []string, strike func(ctx context.Context, client goredis.UniversalClient, n int)) {
	const channels, writes = 3, 150
	store := slowStore{message.NewMemoryStore()}
	var nodes []*redis.Cache
	for range 3 {
		c := newCache(t, connect(t, addrs...), store, o)
		c.Probe(10 * time.Millisecond)
		nodes = append(nodes, c)
	}
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for channel := range channels {
		v := &view{t: t, channel: fmt.Sprint(channel), nodes: nodes, states: [][]message.Message{nil}}
		writing.Go(func() { v.writeAll(writes) })
		for range 2 {
			reading.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						v.read()
					}
				}
			})
		}
	}
	go func() {
		writing.Wait()
		close(done)
	}()
	client := connect(t, addrs...)
	strikes := 0
	for going := true; going; strikes++ {
		strike(t.Context(), client, strikes%8)
		pause := time.NewTimer(rand.N(30 * time.Millisecond))
		select {
		case <-pause.C:
		case <-done:
			going = false
		}
	}
	reading.Wait()
	var sum redis.CacheStats
	for _, c := range nodes {
		s := c.Stats()
		sum.Hits, sum.Reads, sum.Kept, sum.Failed, sum.Untold = sum.Hits+s.Hits, sum.Reads+s.Reads, sum.Kept+s.Kept, sum.Failed+s.Failed, sum.Untold+s.Untold
	}
	t.Logf("%d strikes, %+v", strikes, sum)
	if sum.Hits == 0 || sum.Kept == 0 {
		t.Error("it hardly used the cache")
	}
}

// view is what a channel was.
type view struct {
	t       *testing.T
	channel string
	nodes   []*redis.Cache

	mu      sync.Mutex
	states  [][]message.Message // one more while a write is under way
	settled int
}

func (v *view) node() *redis.Cache { return v.nodes[rand.N(len(v.nodes))] }

const highest = 60

func (v *view) writeAll(n int) {
	model := message.NewMemoryStore()
	for i := range n {
		id := message.ID(1 + rand.N(highest))
		m := message.Message{ID: id, Channel: v.channel, Content: fmt.Sprint("write ", i)}
		var write func(s message.Store) error
		switch rand.N(4) {
		case 0:
			write = func(s message.Store) error { return s.Edit(context.Background(), m) }
		case 1:
			write = func(s message.Store) error {
				_, err := s.Delete(context.Background(), v.channel, id, id+2)
				return err
			}
		default:
			write = func(s message.Store) error {
				return s.Append(context.Background(), v.channel, []message.Message{m})
			}
		}
		_ = write(model) // an unknown id is no state of its own
		page, err := model.Page(context.Background(), v.channel, message.Query{Limit: message.MaxPage})
		if err != nil {
			v.t.Error(err)
		}
		v.mu.Lock()
		v.states = append(v.states, page)
		v.mu.Unlock()
		for err := write(v.node()); err != nil && !errors.Is(err, message.ErrNotFound); err = write(v.node()) {
			wait(context.Background(), time.Millisecond)
		}
		v.mu.Lock()
		v.settled++
		v.mu.Unlock()
		v.read()
		wait(context.Background(), rand.N(8*time.Millisecond)) // in which pages are kept
	}
}

func (v *view) read() {
	q := message.Query{Limit: 3 + 5*rand.N(2)} // few, so that the next one asks for the same
	switch id := message.ID(1 + 10*rand.N(highest/10)); rand.N(4) {
	case 0:
		q.Before = id
	case 1:
		q.After = id
	case 2:
		q.Around = id
	}
	v.mu.Lock()
	first := v.settled
	v.mu.Unlock()
	page, err := v.node().Page(context.Background(), v.channel, q)
	v.mu.Lock()
	defer v.mu.Unlock()
	if errors.Is(err, errLost) {
		return
	}
	if err != nil || !slices.ContainsFunc(v.states[first:], func(s []message.Message) bool { return show(q.Of(s)) == show(page) }) {
		v.t.Errorf("channel %s, %+v: got %s, %v, want one of %d, the last %s", v.channel, q, show(page), err, len(v.states)-first, show(q.Of(v.states[len(v.states)-1])))
	}
}

// slowStore takes a moment for everything, before and after, and loses some writes and some answers.
type slowStore struct{ *message.MemoryStore }

var errLost = errors.New("the connection was lost")

func lost() error {
	wait(context.Background(), rand.N(500*time.Microsecond))
	if rand.N(20) == 0 {
		return errLost
	}
	return nil
}

func (s slowStore) Append(ctx context.Context, channel string, batch []message.Message) error {
	if err := lost(); err != nil {
		return err
	}
	return errors.Join(s.MemoryStore.Append(ctx, channel, batch), lost())
}

func (s slowStore) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	if err := lost(); err != nil {
		return nil, err
	}
	page, err := s.MemoryStore.Page(ctx, channel, q)
	return page, errors.Join(err, lost())
}

func (s slowStore) Edit(ctx context.Context, m message.Message) error {
	if err := lost(); err != nil {
		return err
	}
	if err := s.MemoryStore.Edit(ctx, m); err != nil {
		return err
	}
	return lost()
}

func (s slowStore) Delete(ctx context.Context, channel string, ids ...message.ID) ([]message.ID, error) {
	if err := lost(); err != nil {
		return nil, err
	}
	deleted, err := s.MemoryStore.Delete(ctx, channel, ids...)
	return deleted, errors.Join(err, lost())
}
