package main

import (
	"context"
	"slices"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// members are all who have ever signed in, from a bucket in NATS that the gateways write to. It
// stands for the members of a channel in your database.
type members struct {
	watch jetstream.KeyWatcher
	over  chan struct{}

	mu    sync.Mutex
	names []string
}

func openBucket(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	return js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket})
}

// watchMembers returns when it knows all that there are. met, if it is set, is told of each, once.
func watchMembers(ctx context.Context, js jetstream.JetStream, met func(name string)) (*members, error) {
	kv, err := openBucket(ctx, js)
	if err != nil {
		return nil, err
	}
	watch, err := kv.WatchAll(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	m := &members{watch: watch, over: make(chan struct{})}
	known := make(chan struct{})
	go m.follow(known, met)
	select {
	case <-known:
		return m, nil
	case <-ctx.Done():
		m.close()
		return nil, ctx.Err()
	}
}

func (m *members) follow(known chan<- struct{}, met func(string)) {
	defer close(m.over)
	for e := range m.watch.Updates() {
		if e == nil {
			close(known)
			continue
		}
		if m.add(e.Key()) && met != nil {
			met(e.Key())
		}
	}
}

func (m *members) add(name string) (fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.names, name) {
		return false
	}
	m.names = append(m.names, name)
	return true
}

// all returns their names, in the order in which they came.
func (m *members) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.names)
}

func (m *members) close() {
	m.watch.Stop()
	<-m.over
}
