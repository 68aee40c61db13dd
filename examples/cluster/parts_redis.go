package main

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
)

func dialRedis(server *url.URL) (*goredis.Client, error) {
	o, err := goredis.ParseURL(server.String())
	if err != nil {
		return nil, err
	}
	logging.Disable() // what it says of every connection the broker says once
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.ReadTimeout = time.Second, 2*time.Second
	return goredis.NewClient(o), nil
}

func openRedis(ctx context.Context, server *url.URL, logger *slog.Logger) (*parts, error) {
	client, err := dialRedis(server)
	if err != nil {
		return nil, err
	}
	broker, err := redis.NewBroker(ctx, client, clusterName, redis.BrokerOptions{Logger: logger})
	if err != nil {
		client.Close()
		return nil, err
	}
	sessions, err := redis.NewSessions(ctx, client, clusterName)
	if err != nil {
		broker.Close()
		client.Close()
		return nil, err
	}
	return &parts{
		broker: broker, sessions: sessions,
		close: func() {
			sessions.Close()
			broker.Close()
			client.Close()
		},
	}, nil
}

func publishRedis(ctx context.Context, server *url.URL) (publisher, func(), error) {
	client, err := dialRedis(server)
	if err != nil {
		return nil, nil, err
	}
	p, err := redis.NewPublisher(ctx, client, clusterName, redis.BrokerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return p, func() {
		p.Close()
		client.Close()
	}, nil
}
