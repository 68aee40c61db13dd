package gateway_test

import (
	"context"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// An event with an ID that is published again, as after an error that leaves open whether it was, is there once.
func ExampleEvent_retry() {
	broker := gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{})
	feed, _ := broker.Open(context.Background(), func(rec gateway.Record) { fmt.Println(rec.Type, string(rec.Data)) })
	feed.Follow(context.Background(), "channel:7")

	rec, _ := gateway.Seal("channel:7", gateway.Event{Type: "MESSAGE_CREATE", Data: "hello", ID: "message 42"})
	for range 3 {
		if err := broker.Publish(context.Background(), rec); err != nil {
			fmt.Println(err)
		}
	}

	// Output:
	// MESSAGE_CREATE "hello"
}
