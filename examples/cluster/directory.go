package main

import (
	"context"
	"net/url"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/shard"
)

// openDirectory opens where nodes behind nginx find each other, and returns with it what closes all that was
// opened. It is on the server that has the broker.
func openDirectory(ctx context.Context, server *url.URL) (shard.Directory, func(), error) {
	switch server.Scheme {
	case "nats":
		conn, js, err := dialNATS(server, "directory")
		if err != nil {
			return nil, nil, err
		}
		d, err := nats.NewDirectory(ctx, js, clusterName, nats.StoreOptions{})
		if err != nil {
			conn.Close()
			return nil, nil, err
		}
		return d, func() { d.Close(); conn.Close() }, nil
	case "redis":
		client, err := dialRedis(server)
		if err != nil {
			return nil, nil, err
		}
		d, err := redis.NewDirectory(ctx, client, clusterName)
		if err != nil {
			client.Close()
			return nil, nil, err
		}
		return d, func() { d.Close(); client.Close() }, nil
	}
	return nil, nil, errServer
}
