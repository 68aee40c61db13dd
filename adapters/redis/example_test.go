package redis_test

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/presence"
	"github.com/gatehouse-go/gatehouse/shard"
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

func ExampleBroker() {
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	ctx := context.Background()
	broker, err := redis.NewBroker(ctx, client, "chat", redis.BrokerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer broker.Close()
	sessions, err := redis.NewSessions(ctx, client, "chat")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	limiter := redis.NewLimiter(client, "chat", redis.LimiterOptions{})
	defer limiter.Close()
	people := redis.NewPresence(client, "chat", redis.PresenceOptions{})
	defer people.Close()

	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Broker: broker, Sessions: sessions, Limiter: limiter, Presence: presence.Options{Store: people},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gw.Shutdown(ctx)
	fmt.Println(gw.Publish(ctx, "guild:7", gateway.Event{Type: "MESSAGE_CREATE", Data: "hello"}))
}

func ExamplePublisher() {
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	ctx := context.Background()
	publisher, err := redis.NewPublisher(ctx, client, "chat", redis.BrokerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer publisher.Close()
	fmt.Println(publisher.Publish(ctx, "guild:7", gateway.Event{Type: "GUILD_UPDATE", Data: map[string]string{"name": "gophers"}}))
}

func ExampleSessions() {
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	ctx := context.Background()
	sessions, err := redis.NewSessions(ctx, client, "chat")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	fmt.Println(sessions.Renew(ctx, "node 1", 6*time.Second))
}

func ExampleLimiter() {
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	limiter := redis.NewLimiter(client, "chat", redis.LimiterOptions{})
	defer limiter.Close()
	wait, err := limiter.Take(context.Background(), "messages of user 42", gateway.Rate{Burst: 5, Per: 5 * time.Second}, 1)
	fmt.Println(wait, err)
}

func ExamplePresence() {
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	people := redis.NewPresence(client, "chat", redis.PresenceOptions{})
	defer people.Close()
	tracker, err := presence.New(presence.Options{Store: people})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tracker.Close(context.Background())
	fmt.Println(tracker.Set(context.Background(), presence.Device{User: "42", Session: "a"}))
}

func ExampleDirectory() {
	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer client.Close()

	ctx := context.Background()
	nodes, err := redis.NewDirectory(ctx, client, "chat")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nodes.Close()
	roster, err := shard.Join(ctx, nodes, shard.RosterOptions{Self: shard.Member{ID: "node 1", URL: "wss://one.example.org/gateway"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer roster.Leave(ctx)
	fmt.Println("user 42 belongs to", roster.View().Owner("42").URL)
}
