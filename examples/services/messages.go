package main

import (
	"context"
	"net/http"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// openMessages is the service that keeps what is said: the second half of a message.Pipeline. It
// gives ids, stores, and tells, and answers what was said before. With a store of several
// processes, as PostgreSQL is, run several: the queue shares the channels out.
func openMessages(ctx context.Context, js jetstream.JetStream, o options) (_ *service, err error) {
	var closers closing
	defer func() { closers.unless(err) }()
	store, err := sqlite.Open(ctx, filepath.Join(o.data, "messages.db"), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	closers.add(store.Close)
	said, err := openSaid(ctx, js, o.kafka)
	if err != nil {
		return nil, err
	}
	closers.add(said.Close)
	stored, err := openStored(ctx, js)
	if err != nil {
		return nil, err
	}
	closers.add(stored.Close)
	publisher, err := nats.NewPublisher(ctx, js, brokerName, nats.BrokerOptions{})
	if err != nil {
		return nil, err
	}
	closers.add(publisher.Close)

	running, cancel := context.WithCancel(context.Background())
	p, err := message.New(message.Options{
		Queue: said, Store: store, Deliver: telling{running, stored, publisher}.deliver,
	})
	if err != nil {
		cancel()
		return nil, err
	}
	closers.addWithin(p.Close)
	over := make(chan struct{})
	go func() {
		defer close(over)
		p.Consume(running)
	}()
	closers.add(func() error { cancel(); <-over; return nil })

	mux := http.NewServeMux()
	mux.Handle("GET /history", history(store))
	return &service{mux, closers.close}, nil
}
