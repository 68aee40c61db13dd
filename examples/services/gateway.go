package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// openGateway is the service that has the connections: it knows who is there, takes what they say
// to the queue, and tells them what the broker carries. Run as many as there are connections for.
func openGateway(ctx context.Context, js jetstream.JetStream, o options) (_ *service, err error) {
	var closers closing
	defer func() { closers.unless(err) }()
	broker, err := nats.NewBroker(ctx, js, brokerName, nats.BrokerOptions{})
	if err != nil {
		return nil, err
	}
	closers.add(broker.Close)
	sessions, err := nats.NewSessions(ctx, js, brokerName, nats.StoreOptions{})
	if err != nil {
		return nil, err
	}
	closers.add(sessions.Close)
	online, err := nats.NewPresence(ctx, js, brokerName, nats.StoreOptions{})
	if err != nil {
		return nil, err
	}
	closers.add(online.Close)
	kv, err := openBucket(ctx, js)
	if err != nil {
		return nil, err
	}
	said, err := openSaid(ctx, js, o.kafka)
	if err != nil {
		return nil, err
	}
	closers.add(said.Close)
	speaking, err := newSpeaking(said)
	if err != nil {
		return nil, err
	}

	var gw *gateway.Gateway
	gw, err = gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			if !isName(id.Token) { // there are no accounts: whoever says the same name is the same person
				return gateway.User{}, gateway.ErrUnauthorized
			}
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			if _, err := kv.Create(ctx, s.User().ID, nil); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
				return nil, err
			}
			gw.Presence().Join(channelTopic, s.User().ID)
			return nil, s.Subscribe(ctx, channelTopic)
		},
		Resume: func(_ context.Context, s *gateway.Session) error {
			gw.Presence().Join(channelTopic, s.User().ID) // the session may be from another node
			return nil
		},
		Broker: broker, Sessions: sessions, Presence: presenceOptions(online),
		Limits: gateway.Limits{Lease: lease, Checkpoint: 5 * time.Second},
	})
	if err != nil {
		return nil, err
	}
	gateway.Handle(gw, "SEND", speaking.send)
	closers.addWithin(speaking.pipeline.Close)
	closers.addWithin(gw.Shutdown)

	mux := http.NewServeMux()
	mux.Handle("/gateway", gw)
	mux.Handle("/gateway/", gw)
	mux.HandleFunc("GET /healthz", gw.ServeHealth)
	return &service{mux, closers.close}, nil
}
