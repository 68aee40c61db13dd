package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/presence"
)

// openPresence is the service that answers who is online. Gateways write that down; it has no
// people of its own until a gateway dies: then it is there to see its people leave, and says so.
func openPresence(ctx context.Context, js jetstream.JetStream, _ options) (_ *service, err error) {
	var closers closing
	defer func() { closers.unless(err) }()
	store, err := nats.NewPresence(ctx, js, brokerName, nats.StoreOptions{})
	if err != nil {
		return nil, err
	}
	closers.add(store.Close)
	publisher, err := nats.NewPublisher(ctx, js, brokerName, nats.BrokerOptions{})
	if err != nil {
		return nil, err
	}
	closers.add(publisher.Close)
	o := presenceOptions(store)
	o.Publish = func(topic string, changes []presence.Change) { tellChanges(publisher, topic, changes) }
	tracker, err := presence.New(o)
	if err != nil {
		return nil, err
	}
	closers.addWithin(tracker.Close)
	m, err := watchMembers(ctx, js, func(name string) { tracker.Join(channelTopic, name) })
	if err != nil {
		return nil, err
	}
	closers.add(func() error { m.close(); return nil })

	mux := http.NewServeMux()
	mux.HandleFunc("GET /online", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, everybody(m.all(), tracker), nil)
	})
	return &service{mux, closers.close}, nil
}

// tellChanges tells the sessions of a topic, as a gateway does of its own people.
func tellChanges(p *nats.Publisher, topic string, changes []presence.Change) {
	ctx, cancel := context.WithTimeout(context.Background(), tryFor)
	defer cancel()
	for _, c := range changes {
		err := p.Publish(ctx, topic, gateway.Event{
			Type: "PRESENCE_UPDATE", Data: gateway.PresenceData(topic, c.Presence),
			Intent: gateway.IntentGuildPresences, Class: gateway.Conflate, Key: c.User,
		})
		if err != nil {
			slog.Error("presence was not published", "user", c.User, "error", err)
		}
	}
}

// seen is how somebody is seen.
type seen struct {
	User     string          `json:"user"`
	Status   presence.Status `json:"status"`
	LastSeen time.Time       `json:"last_seen,omitzero"`
}

// everybody are all members, whoever is there.
func everybody(names []string, t *presence.Tracker) (list []seen) {
	for _, name := range names {
		p := t.Get(name)
		list = append(list, seen{name, p.Status, p.LastSeen})
	}
	return list
}
