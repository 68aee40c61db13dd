package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// node is a process with a cache of the store that all share.
type node struct {
	message.Store
	changes *redis.Invalidations
	missed  chan struct{}

	mu    sync.Mutex
	heard []string
}

func newNode(t *testing.T, client goredis.UniversalClient, store message.Store) *node {
	n := &node{missed: make(chan struct{}, 100)}
	cache := message.NewCache(store, message.CacheOptions{MaxAge: -1}) // so that nothing else makes it forget
	n.changes = redis.NewInvalidations(client, redis.InvalidationOptions{
		Invalidate: func(channel string) {
			cache.Invalidate(channel)
			n.mu.Lock()
			defer n.mu.Unlock()
			n.heard = append(n.heard, channel)
		},
		Missed:  func() { note(n.missed) },
		OnError: func(error) {}, // there are some when the server is down
	})
	n.Store = n.changes.Store(cache)
	t.Cleanup(func() { n.changes.Close(); cache.Close() })
	return n
}

func note(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// content is what a node has for message 1 of a channel.
func (n *node) content(t *testing.T, channel string) string {
	page, err := n.Page(t.Context(), channel, message.Query{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, m := range page {
		text += m.Content + " "
	}
	return text
}

func TestInvalidations(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	client := connect(t, s.Addr())
	store := message.NewMemoryStore()
	a, b := newNode(t, client, store), newNode(t, client, store)
	sees := func(what string, n *node, channel, want string) {
		t.Helper()
		eventually(t, what, func() error {
			if got := n.content(t, channel); got != want {
				return fmt.Errorf("it has %q, want %q", got, want)
			}
			return nil
		})
	}
	eventually(t, "both listen", func() error {
		subscribed, err := client.PubSubNumSub(t.Context(), "gatehouse:changes:{gatehouse}").Result()
		if err != nil || subscribed["gatehouse:changes:{gatehouse}"] != 2 {
			return fmt.Errorf("%v, %v", subscribed, err)
		}
		return nil
	})
	channel := "a\x00\xff{b}" // any bytes
	sees("before", b, channel, "")
	write := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write(a.Append(t.Context(), channel, []message.Message{{ID: 1, Channel: channel, Content: "one"}, {ID: 2, Channel: channel, Content: "two"}}))
	sees("Append", b, channel, "one two ")
	write(a.Edit(t.Context(), message.Message{ID: 1, Channel: channel, Content: "ONE"}))
	sees("Edit", b, channel, "ONE two ")
	_, err := a.Delete(t.Context(), channel, 2)
	write(err)
	sees("Delete", b, channel, "ONE ")
	a.mu.Lock()
	if len(a.heard) > 0 {
		t.Errorf("it heard %q from itself", a.heard)
	}
	a.mu.Unlock()

	many := make([]string, 5000)
	for i := range many {
		many[i] = fmt.Sprint("channel ", i)
	}
	a.changes.Changed(many...)
	eventually(t, "many at once", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		heard := make(map[string]bool)
		for _, channel := range b.heard {
			heard[channel] = true
		}
		for _, channel := range many {
			if !heard[channel] {
				return errors.New("it has not heard of " + channel)
			}
		}
		return nil
	})

	s.Kill()
	s.Start()
	for _, n := range []*node{a, b} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		select {
		case <-n.missed:
		case <-ctx.Done():
			t.Error("the connection was lost, and Missed was not called")
		}
		cancel()
	}
	eventually(t, "after a restart", func() error {
		a.changes.Changed("last")
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.heard[len(b.heard)-1] != "last" {
			return errors.New("it does not hear")
		}
		return nil
	})
}

// Where Redis is away, telling costs nobody anything.
func TestChangedWhileDown(t *testing.T) {
	t.Parallel()
	client := connect(t, deaf(t))
	changes := redis.NewInvalidations(client, redis.InvalidationOptions{Invalidate: func(string) {}, OnError: func(error) {}})
	began := time.Now()
	for i := range 1000 {
		changes.Changed(fmt.Sprint(i))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("1,000 calls took %v", took)
	}
	changes.Close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
}
