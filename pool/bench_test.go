package pool_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/pool"
)

const size = 8192

func filled(b *testing.B, o pool.Options) (*pool.Pool[string, *int], []string) {
	p := pool.New[string, *int](o)
	keys := make([]string, size)
	for i := range keys {
		keys[i] = fmt.Sprintf("session-%08d", i)
		user := pool.Label{Kind: "user", Value: fmt.Sprint(i / 4)}
		if err := p.Add(keys[i], new(int), user); err != nil {
			b.Fatal(err)
		}
	}
	rand.Shuffle(size, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	b.ReportAllocs()
	return p, keys
}

func BenchmarkGet(b *testing.B) {
	p, keys := filled(b, pool.Options{})
	i := 0
	for b.Loop() {
		p.Get(keys[i%size])
		i++
	}
}

func BenchmarkGetParallel(b *testing.B) {
	p, keys := filled(b, pool.Options{})
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(size); pb.Next(); i++ {
			p.Get(keys[i%size])
		}
	})
}

func BenchmarkTouch(b *testing.B) {
	p, keys := filled(b, pool.Options{})
	i := 0
	for b.Loop() {
		p.Touch(keys[i%size])
		i++
	}
}

// BenchmarkTouchCachedClock has a clock that is only read now and then.
func BenchmarkTouchCachedClock(b *testing.B) {
	now := time.Now()
	p, keys := filled(b, pool.Options{Now: func() time.Time { return now }})
	i := 0
	for b.Loop() {
		p.Touch(keys[i%size])
		i++
	}
}

func BenchmarkTouchParallel(b *testing.B) {
	p, keys := filled(b, pool.Options{})
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(size); pb.Next(); i++ {
			p.Touch(keys[i%size])
		}
	})
}

// BenchmarkAddRemove is a connection that comes with its address, signs in, and goes.
func BenchmarkAddRemove(b *testing.B) {
	p, _ := filled(b, pool.Options{})
	address, user := pool.Label{Kind: "address", Value: "192.0.2.1"}, pool.Label{Kind: "user", Value: "ann"}
	for b.Loop() {
		_ = p.Add("x", nil, address)
		_ = p.Attach("x", user)
		p.Remove("x")
	}
}

func BenchmarkAddRemoveParallel(b *testing.B) {
	p, _ := filled(b, pool.Options{})
	b.RunParallel(func(pb *testing.PB) {
		id := fmt.Sprint(rand.Int())
		address, user := pool.Label{Kind: "address", Value: id}, pool.Label{Kind: "user", Value: id}
		for pb.Next() {
			_ = p.Add(id, nil, address)
			_ = p.Attach(id, user)
			p.Remove(id)
		}
	})
}

// BenchmarkStats must not depend on the number of entries.
func BenchmarkStats(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			p := pool.New[int, int](pool.Options{Max: -1})
			for i := range n {
				_ = p.Add(i, i)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.Stats()
			}
		})
	}
}

func BenchmarkAll(b *testing.B) {
	p, _ := filled(b, pool.Options{})
	for b.Loop() {
		for range p.All() {
		}
	}
}

func BenchmarkWith(b *testing.B) {
	p, _ := filled(b, pool.Options{})
	for b.Loop() {
		for range p.With(pool.Label{Kind: "user", Value: "7"}) {
		}
	}
}
