package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	cmap "github.com/orcaman/concurrent-map/v2"
	"github.com/puzpuzpuz/xsync/v4"

	"github.com/gatehouse-go/gatehouse/pool"
)

type conn struct{ id uint64 }

// registry is a map under concurrent use; a pool is one that also counts, bounds, labels and knows who is idle.
type registry[K comparable] struct {
	name, note string
	get        func(K) (*conn, bool)
}

// registries are filled with the same keys. cmap hashes a string by itself, and other keys as it is told.
func registries[K comparable](keys []K, c cmap.ConcurrentMap[K, *conn]) []registry[K] {
	p := pool.New[K, *conn](pool.Options{Max: -1})
	x := xsync.NewMap[K, *conn]()
	var s sync.Map
	for i, key := range keys {
		v := &conn{uint64(i)}
		check(p.Add(key, v))
		x.Store(key, v)
		s.Store(key, v)
		c.Set(key, v)
	}
	return []registry[K]{
		{"gatehouse", "labels, limits, idle", p.Get},
		{"sync.Map", "", func(key K) (*conn, bool) {
			v, ok := s.Load(key)
			if !ok {
				return nil, false
			}
			return v.(*conn), true
		}},
		{"xsync.Map", "", x.Load},
		{"concurrent-map", "", c.Get},
	}
}

func sessionIDs(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
	}
	return keys
}

// asked is the keys in another order and, where they are strings, in other memory: who asks has read them from a socket.
func asked[K comparable](keys []K, clone func(K) K) []K {
	out := make([]K, len(keys))
	for i, from := range rand.Perm(len(keys)) {
		out[i] = clone(keys[from])
	}
	return out
}

func poolsByString() []contestant {
	keys := sessionIDs(keyCount)
	return one(registries(keys, cmap.New[*conn]()), asked(keys, strings.Clone))
}

func poolsLarge() []contestant {
	keys := sessionIDs(100_000)
	return one(registries(keys, cmap.New[*conn]()), asked(keys, strings.Clone))
}

func poolsByNumber() []contestant {
	keys := make([]uint64, keyCount)
	for i := range keys {
		keys[i] = uint64(i)
	}
	c := cmap.NewWithCustomShardingFunction[uint64, *conn](func(key uint64) uint32 { return uint32(key) })
	return one(registries(keys, c), asked(keys, func(key uint64) uint64 { return key }))
}

func poolsInParallel() (cs []contestant) {
	keys := sessionIDs(keyCount)
	ask := asked(keys, strings.Clone)
	for _, r := range registries(keys, cmap.New[*conn]()) {
		cs = append(cs, contestant{r.name, r.note, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(len(ask)); pb.Next(); i++ {
					if i == len(ask) {
						i = 0
					}
					if _, ok := r.get(ask[i]); !ok {
						b.Error("not found")
						return
					}
				}
			})
		}})
	}
	return cs
}

// one goroutine looks everything up in turn.
func one[K comparable](rs []registry[K], ask []K) (cs []contestant) {
	for _, r := range rs {
		cs = append(cs, contestant{r.name, r.note, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := r.get(ask[i]); !ok {
					b.Fatal("not found")
				}
				if i++; i == len(ask) {
					i = 0
				}
			}
		}})
	}
	return cs
}
