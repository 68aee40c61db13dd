package redis_test

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// A page is looked for in the process, then in Redis, then in the database.
func ExampleCache() {
	ctx := context.Background()
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	database := message.NewMemoryStore() // that of adapters/postgres, say
	shared := redis.NewCache(client, database, redis.CacheOptions{})
	defer shared.Close()
	store := message.NewCache(shared, message.CacheOptions{MaxAge: time.Second})
	defer store.Close()

	if err := store.Append(ctx, "7", []message.Message{{ID: 1, Author: "42", Content: "hello"}}); err != nil {
		fmt.Println(err)
		return
	}
	page, err := store.Page(ctx, "7", message.Query{Limit: 50})
	fmt.Println(len(page), err, shared.Stats())
}

func ExampleQueue() {
	ctx := context.Background()
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	queue, err := redis.NewQueue(ctx, client, "messages", redis.QueueOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer queue.Close()
	p, err := message.New(message.Options{Store: message.NewMemoryStore(), Queue: queue})
	if err != nil {
		fmt.Println(err)
		return
	}
	go p.Consume(ctx)
	fmt.Println(p.Send(ctx, message.Message{Channel: "7", Author: "42", Content: "hello"}))
}

func ExampleInvalidations() {
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	cache := message.NewCache(message.NewMemoryStore(), message.CacheOptions{})
	defer cache.Close()
	changes := redis.NewInvalidations(client, redis.InvalidationOptions{Invalidate: cache.Invalidate})
	defer changes.Close()
	store := changes.Store(cache)
	fmt.Println(store.Page(context.Background(), "7", message.Query{Limit: 50}))
}
