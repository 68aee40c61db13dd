package batch_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gatehouse-go/gatehouse/batch"
)

func drop(context.Context, []int) error           { return nil }
func dropKeyed(context.Context, int, []int) error { return nil }
func closeAll(b *testing.B, c func(context.Context) error) {
	if err := c(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkAdd(b *testing.B) {
	x := batch.New(drop, batch.Options{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := x.Add(ctx, 1); err != nil {
			b.Fatal(err)
		}
	}
	closeAll(b, x.Close)
}

func BenchmarkAddParallel(b *testing.B) {
	x := batch.New(drop, batch.Options{})
	ctx := context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = x.Add(ctx, 1)
		}
	})
	closeAll(b, x.Close)
}

// BenchmarkAddFull is an Add that has to wait for room nearly every time.
func BenchmarkAddFull(b *testing.B) {
	x := batch.New(drop, batch.Options{MaxItems: 1, MaxPending: 1})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		_ = x.Add(ctx, 1)
	}
	closeAll(b, x.Close)
}

// BenchmarkTryAddFull is the refusal.
func BenchmarkTryAddFull(b *testing.B) {
	hold := make(chan struct{})
	x := batch.New(func(context.Context, []int) error { <-hold; return nil }, batch.Options{MaxPending: 1, Timeout: -1})
	_ = x.TryAdd(1)
	b.ReportAllocs()
	for b.Loop() {
		_ = x.TryAdd(1)
	}
	close(hold)
	closeAll(b, x.Close)
}

func BenchmarkKeyedAdd(b *testing.B) {
	for _, keys := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			x := batch.NewKeyed(dropKeyed, batch.Options{MaxPending: -1})
			ctx := context.Background()
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				_ = x.Add(ctx, i%keys, 1)
				i++
			}
			closeAll(b, x.Close)
		})
	}
}
