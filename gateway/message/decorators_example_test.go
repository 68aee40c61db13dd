package message_test

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/shard"
)

func ExampleCache() {
	ctx := context.Background()
	store := message.NewCache(message.NewMemoryStore(), message.CacheOptions{MaxAge: time.Minute})
	defer store.Close()

	store.Append(ctx, "7", []message.Message{{ID: 1, Content: "hello"}})
	for range 1000 {
		store.Page(ctx, "7", message.Query{Limit: 50})
	}
	store.Append(ctx, "7", []message.Message{{ID: 2, Content: "hello, too"}})
	page, _ := store.Page(ctx, "7", message.Query{Limit: 50})
	fmt.Println(len(page), "messages,", store.Stats().Reads, "read of the store")
	// Output: 2 messages, 1 read of the store
}

func ExampleQuery_Span() {
	q := message.Query{Before: 60, Limit: 2}
	low, high := q.Span([]message.Message{{ID: 40}, {ID: 50}})
	fmt.Println("it is another page when something from", low, "to", high, "is")
	// Output: it is another page when something from 40 to 60 is
}

func ExampleSharded_Reshard() {
	ctx := context.Background()
	ring, _ := shard.NewRing(shard.Node{ID: "db1"}, shard.Node{ID: "db2"})
	stores := map[string]message.Store{"db1": message.NewMemoryStore(), "db2": message.NewMemoryStore()}
	store, _ := message.NewSharded(message.Placement{Ring: ring, Stores: stores})
	for i := range 100 {
		store.Append(ctx, fmt.Sprint(i), []message.Message{{ID: 1, Content: "hello"}})
	}

	// A third store comes, while everybody reads and writes.
	next, _ := ring.With(shard.Node{ID: "db3"})
	stores["db3"] = message.NewMemoryStore()
	channels := func(yield func(string, error) bool) { // SELECT id FROM channels, say
		for i := range 100 {
			if !yield(fmt.Sprint(i), nil) {
				return
			}
		}
	}
	moved, err := store.Reshard(ctx, message.Placement{Ring: next, Stores: stores}, channels, func(ctx context.Context) error {
		return nil // write down that new processes start with db1, db2 and db3
	})
	fmt.Println(moved.Channels, "of 100 channels moved,", err)
	fmt.Printf("the plan says %.0f %%\n", 100*shard.NewPlan(ring, next).Fraction())
	// Output:
	// 28 of 100 channels moved, <nil>
	// the plan says 33 %
}

func ExampleReplicated() {
	ctx := context.Background()
	primary := message.NewMemoryStore()
	store := message.NewReplicated(primary, message.ReplicatedOptions{MaxStaleness: 5 * time.Second},
		mirror{primary}) // a store with a Lag method; here it is never behind

	store.Page(ctx, "7", message.Query{Limit: 50})                          // as of 5 s ago, or later
	store.Page(message.WithStaleness(ctx, 0), "7", message.Query{Limit: 1}) // as of now
	fmt.Println(store.Stats().Replicas[0].Pages, "by the replica,", store.Stats().Primary, "by the primary")
	// Output: 1 by the replica, 1 by the primary
}
