package nats_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Messages that wait in JetStream until they are stored. The second of the same nonce is dropped by the
// server.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	js, stop := connectForExample() // a NATS for tests
	defer stop()
	queue, err := nats.NewQueue(ctx, js, "messages", nats.QueueOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer queue.Close()
	delivered := make(chan message.Message)
	p, err := message.New(message.Options{
		Store: message.NewMemoryStore(),
		Queue: queue,
		Deliver: func(_ context.Context, _ string, batch []message.Message) error {
			for _, m := range batch {
				delivered <- m
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	consumed := make(chan error)
	go func() { consumed <- p.Consume(ctx) }()
	for range 2 {
		if _, err := p.Send(ctx, message.Message{Channel: "7", Author: "ann", Content: "hello", Nonce: "1"}); err != nil {
			log.Fatal(err)
		}
	}
	m := <-delivered
	fmt.Println(m.Author, "says", m.Content)
	cancel()
	fmt.Println(<-consumed)
	// Output:
	// ann says hello
	// context canceled
}

// connectForExample starts a server and connects to it as an application would.
func connectForExample() (js jetstream.JetStream, stop func()) {
	dir, err := os.MkdirTemp("", "gatehouse-nats-")
	if err != nil {
		log.Fatal(err)
	}
	s, err := serve(&server.Options{Host: "127.0.0.1", Port: -1, StoreDir: dir})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := natsgo.Connect(s.ClientURL(), natsgo.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	if js, err = jetstream.New(conn); err != nil {
		log.Fatal(err)
	}
	return js, func() {
		conn.Close()
		s.Shutdown()
		os.RemoveAll(dir)
	}
}
