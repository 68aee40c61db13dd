package batch_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

func ExampleNew() {
	ctx := context.Background()
	b := batch.New(func(ctx context.Context, rows []string) error {
		fmt.Println("insert", rows) // one round trip for all of them
		return nil
	}, batch.Options{MaxItems: 3, MaxDelay: 100 * time.Millisecond})

	for _, row := range []string{"a", "b", "c", "d"} {
		if err := b.Add(ctx, row); err != nil {
			fmt.Println("not added:", err)
		}
	}
	if err := b.Close(ctx); err != nil { // flushes what is left
		fmt.Println(err)
	}
	// Output:
	// insert [a b c]
	// insert [d]
}

// A batch per channel; each keeps its order.
func ExampleNewKeyed() {
	ctx := context.Background()
	k := batch.NewKeyed(func(ctx context.Context, channel string, messages []string) error {
		fmt.Println(channel, messages)
		return nil
	}, batch.Options{Concurrency: 1})

	_ = k.Add(ctx, "general", "hello")
	_ = k.Add(ctx, "general", "anyone here?")
	_ = k.Close(ctx)
	fmt.Println(k.Stats().Processed, "processed")
	// Output:
	// general [hello anyone here?]
	// 2 processed
}

// What cannot be flushed is handed back whole.
func ExampleHooks() {
	ctx := context.Background()
	b := batch.New(func(context.Context, []string) error {
		return errors.New("the database is away")
	}, batch.Options{
		Retries: 2,
		Backoff: time.Millisecond,
	}, batch.Hooks[string]{
		OnError: func(rows []string, err error) { fmt.Println("kept aside:", rows, err) },
	})
	_ = b.Add(ctx, "a")
	_ = b.Add(ctx, "b")
	_ = b.Close(ctx)
	// Output:
	// kept aside: [a b] the database is away
}

// A caller that must not wait is told.
func ExampleBatcher_TryAdd() {
	slow := make(chan struct{})
	b := batch.New(func(context.Context, []int) error {
		<-slow
		return nil
	}, batch.Options{MaxPending: 2})
	fmt.Println(b.TryAdd(1))
	fmt.Println(b.TryAdd(2))
	fmt.Println(b.TryAdd(3))
	close(slow)
	_ = b.Close(context.Background())
	fmt.Println(b.TryAdd(4))
	// Output:
	// <nil>
	// <nil>
	// batch: queue full
	// batch: closed
}
