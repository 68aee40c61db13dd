package nats_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
	"github.com/gatehouse-go/gatehouse/presence"
	"github.com/gatehouse-go/gatehouse/shard"
)

// A gateway of a cluster, and a service that publishes to its sessions.
func ExampleBroker() {
	ctx := context.Background()
	js, stop := connectForExample() // a NATS for tests
	defer stop()

	broker, err := nats.NewBroker(ctx, js, "chat", nats.BrokerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	sessions, err := nats.NewSessions(ctx, js, "chat", nats.StoreOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
	gw, err := gateway.New(gateway.Options{
		Broker: broker, Sessions: sessions,
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, s.Subscribe(ctx, "guild:7")
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Shutdown(ctx)
	ann := client(ctx, gw)
	defer ann.Close()

	// Elsewhere, in a service without a gateway:
	publisher, err := nats.NewPublisher(ctx, js, "chat", nats.BrokerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Publish(ctx, "guild:7", gateway.Event{Type: "PAYMENT", Data: "thank you"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(ann.Next(ctx))
	// Output: PAYMENT s=2 "thank you" <nil>
}

// client is one that is signed in at a gateway, on a network in memory.
func client(ctx context.Context, gw *gateway.Gateway) *gatewaytest.Client {
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{})
	ln := network.Listen("gateway")
	go http.Serve(ln, gw) // until the program ends
	ann := gatewaytest.NewClient(network, gatewaytest.ClientOptions{Token: "ann"})
	if _, err := ann.Identify(ctx); err != nil {
		log.Fatal(err)
	}
	return ann
}

// Who is online, of all nodes.
func ExamplePresence() {
	ctx := context.Background()
	js, stop := connectForExample() // a NATS for tests
	defer stop()
	store, err := nats.NewPresence(ctx, js, "chat", nats.StoreOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	if err := store.Put(ctx, presence.Entry{User: "ann", Session: "1", Node: "one", Version: 1, Status: presence.Online}); err != nil {
		log.Fatal(err)
	}
	changed, _, err := store.Since(ctx, 0) // as another node's tracker asks
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range changed {
		fmt.Println(e.User, "is", e.Status)
	}
	// Output: ann is online
}

// Nodes find each other, and which of them a user belongs to.
func ExampleDirectory() {
	ctx := context.Background()
	js, stop := connectForExample() // a NATS for tests
	defer stop()
	directory, err := nats.NewDirectory(ctx, js, "chat", nats.StoreOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer directory.Close()
	for _, id := range []string{"a", "b"} { // each in its own process
		roster, err := shard.Join(ctx, directory, shard.RosterOptions{Self: shard.Member{ID: id, URL: "wss://" + id + ".example.org/gateway"}})
		if err != nil {
			log.Fatal(err)
		}
		defer roster.Leave(ctx)
		fmt.Println(id, "sends ann to", roster.View().Owner("ann").URL)
	}
	// Output:
	// a sends ann to wss://a.example.org/gateway
	// b sends ann to wss://b.example.org/gateway
}
