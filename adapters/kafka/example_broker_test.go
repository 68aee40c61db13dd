package kafka_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kfake"
)

// A node gets what a service publishes that has no gateway.
func ExampleNewPublisher() {
	ctx := context.Background()
	cluster := kfake.MustCluster(kfake.NumBrokers(1)) // a Kafka for tests
	defer cluster.Close()
	o := kafka.BrokerOptions{Brokers: cluster.ListenAddrs(), Replication: 1}

	broker, err := kafka.NewBroker(ctx, o) // gateway.Options.Broker
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	got := make(chan gateway.Record, 1)
	feed, err := broker.Open(ctx, func(rec gateway.Record) { got <- rec }) // as a gateway does
	if err != nil {
		log.Fatal(err)
	}
	if _, err := feed.Follow(ctx, "guild:7"); err != nil {
		log.Fatal(err)
	}

	publisher, err := kafka.NewPublisher(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	defer publisher.Close()
	event := gateway.Event{Type: "MESSAGE_CREATE", Data: map[string]string{"content": "hello"}}
	if err := publisher.Publish(ctx, "guild:7", event); err != nil {
		log.Fatal(err)
	}
	rec := <-got
	fmt.Println(rec.Topic, rec.Type, string(rec.Data))
	// Output: guild:7 MESSAGE_CREATE {"content":"hello"}
}
