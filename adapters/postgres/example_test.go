package postgres_test

import (
	"context"
	"log"

	"github.com/gatehouse-go/gatehouse/adapters/postgres"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func Example() {
	ctx := context.Background()
	store, err := postgres.Open(ctx, "postgres://chat@db1/chat?pool_max_conns=16", postgres.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	replica, err := store.Replica("postgres://chat@db2/chat")
	if err != nil {
		log.Fatal(err)
	}
	defer replica.Close()
	p, err := message.New(message.Options{
		Store: message.NewReplicated(store, message.ReplicatedOptions{}, replica),
		Index: store.Index(),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	m, err := p.Send(ctx, message.Message{Channel: "7", Author: "42", Content: "hello"})
	log.Print(m, err)
}

var (
	_ message.Store   = (*postgres.Store)(nil)
	_ message.Index   = (*postgres.Index)(nil)
	_ message.Replica = (*postgres.Replica)(nil)
)
