package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/dgryski/go-jump"
	"github.com/dgryski/go-rendezvous"
	"github.com/kkdai/maglev"
	"github.com/serialx/hashring"
	"stathat.com/c/consistent"

	"github.com/gatehouse-go/gatehouse/shard"
)

const ringNodes = 64

// ringMaker makes the lookup of a ring of these nodes.
type ringMaker struct {
	name string
	make func(nodes []string) func(key string) string
}

var ringMakers = []ringMaker{
	{"gatehouse", func(nodes []string) func(string) string {
		all := make([]shard.Node, len(nodes))
		for i, id := range nodes {
			all[i].ID = id
		}
		return must(shard.NewRing(all...)).Owner
	}},
	{"stathat/consistent", func(nodes []string) func(string) string {
		c := consistent.New()
		c.Set(nodes)
		return func(key string) string { return must(c.Get(key)) }
	}},
	{"serialx/hashring", func(nodes []string) func(string) string {
		h := hashring.New(nodes)
		return func(key string) string {
			node, _ := h.GetNode(key)
			return node
		}
	}},
	{"kkdai/maglev", func(nodes []string) func(string) string {
		m := must(maglev.NewMaglev(nodes, 65537))
		return func(key string) string { return must(m.Get(key)) }
	}},
	{"dgryski/go-rendezvous", func(nodes []string) func(string) string {
		return rendezvous.New(nodes, xxhash.Sum64String).Lookup
	}},
	// Its buckets are numbers: only the last one can go.
	{"dgryski/go-jump", func(nodes []string) func(string) string {
		return func(key string) string { return nodes[jump.Hash(xxhash.Sum64String(key), len(nodes))] }
	}},
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func nodeNames(n int) []string {
	nodes := make([]string, n)
	for i := range nodes {
		nodes[i] = fmt.Sprintf("node-%d", i)
	}
	return nodes
}

func ringKeys(n int) []string {
	r := rand.New(rand.NewPCG(1, 1))
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("guild:%d", r.Uint64()>>8)
	}
	return keys
}

// keyCount is how many keys are looked up in turn; a power of two.
const keyCount = 1 << 13

func rings() (cs []contestant) {
	keys := ringKeys(keyCount)
	for _, m := range ringMakers {
		owner := m.make(nodeNames(ringNodes))
		more := m.make(nodeNames(ringNodes + 1))
		cs = append(cs, contestant{m.name, quality(owner, more), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if owner(keys[i%keyCount]) == "" {
					b.Fatal("nobody owns it")
				}
			}
		}})
	}
	return cs
}

// quality says which part of the keys moves when a 65th node comes, of which 1.54 % must, and the highest load of a node
// over the mean.
func quality(owner, more func(string) string) string {
	const n = 1 << 17
	load := map[string]int{}
	moved, highest := 0, 0
	for _, key := range ringKeys(n) {
		node := owner(key)
		load[node]++
		highest = max(highest, load[node])
		if more(key) != node {
			moved++
		}
	}
	return fmt.Sprintf("moved %.2f %%, max/mean %.2f", 100*float64(moved)/n, float64(highest)*ringNodes/n)
}
