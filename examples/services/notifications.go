package main

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
)

// openNotifications is the service that sends what was said to those members who are not there.
func openNotifications(ctx context.Context, js jetstream.JetStream, o options) (_ *service, err error) {
	var closers closing
	defer func() { closers.unless(err) }()
	in, err := openInbox(ctx, filepath.Join(o.data, "notifications.db"))
	if err != nil {
		return nil, err
	}
	closers.add(in.close)
	store, err := nats.NewPresence(ctx, js, brokerName, nats.StoreOptions{})
	if err != nil {
		return nil, err
	}
	closers.add(store.Close)
	m, err := watchMembers(ctx, js, nil)
	if err != nil {
		return nil, err
	}
	closers.add(func() error { m.close(); return nil })
	stored, err := openStored(ctx, js)
	if err != nil {
		return nil, err
	}
	closers.add(stored.Close)

	n := &notifying{stored, m, &whereabouts{store: store}, in}
	running, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { n.consume(running) })
	all.Go(func() { n.decide(running) })
	closers.add(func() error { cancel(); all.Wait(); return nil })

	mux := http.NewServeMux()
	mux.HandleFunc("GET /inbox/{name}", func(w http.ResponseWriter, r *http.Request) {
		list, err := in.of(r.Context(), r.PathValue("name"))
		answer(w, list, err)
	})
	return &service{mux, closers.close}, nil
}
