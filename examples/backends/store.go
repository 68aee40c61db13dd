package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gatehouse-go/gatehouse/adapters/cassandra"
	"github.com/gatehouse-go/gatehouse/adapters/postgres"
	"github.com/gatehouse-go/gatehouse/examples/chat/server"
)

const stores = "postgres://user@host/database, or cassandra://host,host/keyspace?replicas=3"

// openStore puts what a URL names into the options, and returns what closes it.
// Cassandra finds no words: these stay in the file of -data.
func openStore(ctx context.Context, text string, o *server.Options) (close func() error, err error) {
	if text == "" {
		return nothing, nil
	}
	switch schemeOf(text) {
	case "postgres", "postgresql":
		s, err := postgres.Open(ctx, text, postgres.Options{})
		if err != nil {
			return nil, fmt.Errorf("-store: %w", err)
		}
		o.Store, o.Index = s, s.Index()
		return s.Close, nil
	case "cassandra":
		s, err := openCassandra(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("-store: %w", err)
		}
		o.Store = s
		return s.Close, nil
	}
	return nil, wrongScheme("store", text, stores)
}

// openCassandra makes the keyspace if it is not there.
func openCassandra(ctx context.Context, text string) (*cassandra.Store, error) {
	a, err := parseAddress(text)
	if err != nil {
		return nil, err
	}
	replicas, err := a.number("replicas")
	if err == nil {
		err = a.only("replicas")
	}
	if err != nil {
		return nil, err
	}
	plain, _, _ := strings.Cut(text, "?")
	return cassandra.Open(ctx, plain, cassandra.Options{Replicas: max(1, replicas)})
}
