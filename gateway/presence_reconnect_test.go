package gateway

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-go/gatehouse/presence"
)

// putCounter counts the entries that are put.
type putCounter struct {
	presence.Store
	n atomic.Int64
}

func (p *putCounter) Put(ctx context.Context, entries ...presence.Entry) error {
	p.n.Add(int64(len(entries)))
	return p.Store.Put(ctx, entries...)
}

// Connections that are lost, and resumed, are no matter of presence: nobody is told, and nothing is stored.
func TestReconnectsAreSilent(t *testing.T) {
	const users, rounds = 50, 4
	store := &putCounter{Store: presence.NewMemoryStore()}
	var told atomic.Int64
	var g *Gateway
	g, url := testGateway(t, func(o *Options) {
		o.Presence = presence.Options{Store: store, Publish: func(_ string, changes []presence.Change) { told.Add(int64(len(changes))) }}
		o.Ready = func(_ context.Context, s *Session) (any, error) {
			g.Presence().Join("everybody", s.User().ID)
			return nil, nil
		}
	})
	clients, sessions := make([]*testClient, users), make([]string, users)
	for i := range clients {
		clients[i], sessions[i] = signIn(t, url, fmt.Sprint("user", i))
	}
	eventually(t, "all are told of", func() bool { return told.Load() == users })
	if n := store.n.Load(); n != users {
		t.Errorf("%d entries were put for %d users", n, users)
	}
	for range rounds {
		for _, c := range clients {
			c.ws.CloseNow()
		}
		eventually(t, "all are cut off", func() bool { return g.Stats().Connections == 0 })
		for i := range clients {
			clients[i] = resume(t, url, fmt.Sprint("user", i), sessions[i], 1)
			clients[i].want(0, "RESUMED")
		}
	}
	clients[0].ws.Close(1000, "") // the last chore of presence, and one that is told
	eventually(t, "one has gone", func() bool { return g.Presence().Get("user0").Status == presence.Offline && told.Load() > users })
	if n, puts := told.Load(), store.n.Load(); n != users+1 || puts != users+1 {
		t.Errorf("%d changes were told and %d entries put, for %d who came, one who went and %d reconnects", n, puts, users, users*rounds)
	}
}
