package gatewaytest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// shaky is what a schedule's gateways depend on, and cannot rely on: every call
// takes a while, and a store's fails now and then.
type shaky struct {
	gateway.Broker
	gateway.SessionStore

	mu   sync.Mutex
	rng  *rand.Rand
	most time.Duration // that a call takes; 0: none takes any
	fail int           // one in so many calls of the store; 0: none
}

var errShaky = errors.New("the store is not there now")

// pause waits and reports whether the call is to fail.
func (k *shaky) pause() (fails bool) {
	k.mu.Lock()
	fails = k.fail > 0 && k.rng.IntN(k.fail) == 0
	var wait time.Duration
	if k.most > 0 && k.rng.IntN(2) == 0 {
		wait = time.Duration(k.rng.Int64N(int64(k.most)))
	}
	k.mu.Unlock()
	if wait > 0 {
		<-time.After(wait)
	}
	return fails
}

func (k *shaky) Publish(ctx context.Context, rec gateway.Record) error {
	k.pause()
	return k.Broker.Publish(ctx, rec)
}

func (k *shaky) Since(ctx context.Context, from gateway.Position) ([]gateway.Record, error) {
	k.pause()
	recs, err := k.Broker.Since(ctx, from)
	k.pause()
	return recs, err
}

func (k *shaky) Open(ctx context.Context, deliver func(gateway.Record)) (gateway.Feed, error) {
	f, err := k.Broker.Open(ctx, deliver)
	return &shakyFeed{f, k}, err
}

type shakyFeed struct {
	gateway.Feed
	k *shaky
}

func (f *shakyFeed) Follow(ctx context.Context, topic string) (gateway.Position, error) {
	f.k.pause()
	at, err := f.Feed.Follow(ctx, topic)
	f.k.pause()
	return at, err
}

func (f *shakyFeed) Unfollow(ctx context.Context, topic string) error {
	f.k.pause()
	err := f.Feed.Unfollow(ctx, topic)
	f.k.pause()
	return err
}

// Save fails before it has saved, or behind it: after an error, any of the
// records may be there.
func (k *shaky) Save(ctx context.Context, node string, recs ...gateway.StoredSession) error {
	if k.pause() {
		return errShaky
	}
	err := k.SessionStore.Save(ctx, node, recs...)
	if k.pause() {
		return errShaky
	}
	return err
}

// Take fails with the record left where it was.
func (k *shaky) Take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	if k.pause() {
		return gateway.StoredSession{}, errShaky
	}
	rec, err := k.SessionStore.Take(ctx, node, id)
	k.pause()
	return rec, err
}

func (k *shaky) Delete(ctx context.Context, node string, ids ...string) error {
	if k.pause() {
		return errShaky
	}
	return k.SessionStore.Delete(ctx, node, ids...)
}

func (k *shaky) Renew(ctx context.Context, node string, lease time.Duration) error {
	if k.pause() {
		return errShaky
	}
	return k.SessionStore.Renew(ctx, node, lease)
}
