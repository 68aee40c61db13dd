package message_test

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/shard"
)

// mirror is a replica that is never behind.
type mirror struct{ message.Store }

func (mirror) Lag(context.Context) (time.Duration, error) { return 0, nil }

func ring(nodes ...string) *shard.Ring {
	var all []shard.Node
	for _, id := range nodes {
		all = append(all, shard.Node{ID: id})
	}
	r, err := shard.NewRing(all...)
	if err != nil {
		panic(err)
	}
	return r
}

var oneRing, twoRing = ring("a", "b"), ring("b", "c", "d")

func sharded(t testing.TB, also *shard.Ring) message.Store {
	s, err := message.NewSharded(message.Placement{Ring: oneRing, Also: also, Stores: map[string]message.Store{
		"a": message.NewMemoryStore(), "b": message.NewMemoryStore(), "c": message.NewMemoryStore(), "d": message.NewMemoryStore(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cached(t testing.TB, s message.Store) message.Store {
	c := message.NewCache(s, message.CacheOptions{MaxAge: -1})
	t.Cleanup(c.Close)
	return c
}

func replicated() message.Store {
	primary := message.NewMemoryStore()
	return message.NewReplicated(primary, message.ReplicatedOptions{LagEvery: time.Nanosecond}, mirror{primary}, mirror{primary})
}

func TestDecoratorsAreStores(t *testing.T) {
	for name, open := range map[string]func(testing.TB) message.Store{
		"cache":      func(t testing.TB) message.Store { return cached(t, message.NewMemoryStore()) },
		"sharded":    func(t testing.TB) message.Store { return sharded(t, nil) },
		"moving":     func(t testing.TB) message.Store { return sharded(t, twoRing) },
		"replicated": func(testing.TB) message.Store { return replicated() },
		"all": func(t testing.TB) message.Store {
			s, err := message.NewSharded(message.Placement{Ring: oneRing, Stores: map[string]message.Store{"a": replicated(), "b": replicated()}})
			if err != nil {
				t.Fatal(err)
			}
			return cached(t, s)
		},
	} {
		t.Run(name, func(t *testing.T) { messagetest.Store(t, open) })
	}
}
