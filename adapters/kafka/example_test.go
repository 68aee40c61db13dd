package kafka_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Messages that wait in Kafka until they are stored.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	cluster := kfake.MustCluster(kfake.NumBrokers(1)) // a Kafka for tests
	defer cluster.Close()

	queue, err := kafka.Open(ctx, kafka.Options{Brokers: cluster.ListenAddrs(), Replication: 1})
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
	if _, err := p.Send(ctx, message.Message{Channel: "7", Author: "ann", Content: "hello", Nonce: "1"}); err != nil {
		log.Fatal(err)
	}
	m := <-delivered
	fmt.Println(m.Author, "says", m.Content)
	cancel()
	fmt.Println(<-consumed)
	// Output:
	// ann says hello
	// context canceled
}
