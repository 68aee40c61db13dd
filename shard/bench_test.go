package shard

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

type structure interface {
	lookup(key string) int
	bytes() int
}

// structures are made of n nodes, always the same first n.
var structures = []struct {
	name string
	make func(n int) structure
}{
	{"modulo", func(n int) structure { return modulo{n} }},
	{"circle160", func(n int) structure { return newCircle(n, 160) }},
	{"circle1000", func(n int) structure { return newCircle(n, 1000) }},
	{"circle1000+index", func(n int) structure { return newBucketed(n, 1000) }},
	{"maglev", func(n int) structure { return newMaglev(n) }},
	{"rendezvous", func(n int) structure { return newRendezvous(n) }},
	{"Ring", func(n int) structure { return newOurs(n) }},
}

var benchKeys = func() []string {
	rng := rand.New(rand.NewPCG(1, 1))
	keys := make([]string, 1<<13)
	for i := range keys {
		keys[i] = fmt.Sprintf("guild:%d", rng.Uint64()>>8)
	}
	return keys
}()

// quality returns which part of the keys move from s to more, and the highest load
// of a node relative to the mean.
func quality(s, more structure, nodes int) (moved, spread float64) {
	const n = 1 << 20
	load := make([]int, nodes)
	for i := range n {
		key := fmt.Sprintf("key:%d", i)
		node := s.lookup(key)
		load[node]++
		if more.lookup(key) != node {
			moved++
		}
	}
	highest := 0
	for _, l := range load {
		highest = max(highest, l)
	}
	return moved / n, float64(highest) * float64(nodes) / n
}

var sinkInt int
var sinkString string

// BenchmarkLookup is the table of the package comment: for each structure of 64
// nodes the time of a lookup, which part of a million keys moves when node 65
// comes (1.54 % is the least), the highest load over the mean, and its size.
func BenchmarkLookup(b *testing.B) {
	const nodes = 64
	for _, st := range structures {
		s := st.make(nodes)
		moved, spread := quality(s, st.make(nodes+1), nodes)
		b.Run(st.name, func(b *testing.B) {
			b.ReportAllocs()
			if o, ok := s.(ours); ok { // the lookup itself, not the test's map around it
				for i := 0; b.Loop(); i++ {
					sinkString = o.Owner(benchKeys[i&(1<<13-1)])
				}
			} else {
				for i := 0; b.Loop(); i++ {
					sinkInt = s.lookup(benchKeys[i&(1<<13-1)])
				}
			}
			b.ReportMetric(100*moved, "%moved")
			b.ReportMetric(spread, "max/mean")
			b.ReportMetric(float64(s.bytes())/1024, "KB")
		})
	}
}

func BenchmarkHash(b *testing.B) {
	var x uint64
	for i := 0; b.Loop(); i++ {
		x += Hash(benchKeys[i&(1<<13-1)])
	}
	sinkInt = int(x)
}

func BenchmarkOwners3(b *testing.B) {
	for _, heaviest := range []int{1, 4} {
		r := mustRing(b, some(64, heaviest)...)
		dst := make([]string, 0, 3)
		b.Run(fmt.Sprintf("64 nodes to weight %d", heaviest), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				dst = r.AppendOwners(dst[:0], benchKeys[i&(1<<13-1)], 3)
			}
		})
	}
}

// BenchmarkChange is what it takes to make a ring, and to change one.
func BenchmarkChange(b *testing.B) {
	for _, nodes := range []int{3, 64, 1000} {
		all := some(nodes, 1)
		r := mustRing(b, all...)
		more, err := r.With(Node{ID: "new"})
		if err != nil {
			b.Fatal(err)
		}
		for _, do := range []struct {
			name string
			do   func()
		}{
			{"NewRing", func() { NewRing(all...) }},
			{"With", func() { r.With(Node{ID: "new"}) }},
			{"Without", func() { r.Without("node-0") }},
			{"NewPlan", func() { NewPlan(r, more) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", do.name, nodes), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					do.do()
				}
			})
		}
	}
}

// BenchmarkAssign places and releases, with room and with every shard but one full.
func BenchmarkAssign(b *testing.B) {
	for _, full := range []bool{false, true} {
		m := NewManager(Options{Shards: 64, MaxPerShard: 1000})
		for i := 0; full && m.Total() < 63_999; i++ {
			m.Assign(fmt.Sprint(i))
		}
		b.Run(fmt.Sprintf("full=%v", full), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p, err := m.Assign(benchKeys[i&(1<<13-1)])
				if err != nil {
					b.Fatal(err)
				}
				p.Release()
			}
		})
	}
}
