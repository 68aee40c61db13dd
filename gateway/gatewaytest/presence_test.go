package gatewaytest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/presence"
)

// storeCalls counts what is put in a presence store.
type storeCalls struct {
	presence.Store
	entries atomic.Int64
}

func (s *storeCalls) Put(ctx context.Context, entries ...presence.Entry) error {
	s.entries.Add(int64(len(entries)))
	return s.Store.Put(ctx, entries...)
}

// Who is online stays so, for everybody, while each of three nodes is replaced, and while clients are cut off and
// come back. In the end one goes, and all others are told once.
func TestPresenceThroughARoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const nodes, clients = 3, 60
		store := &storeCalls{Store: presence.NewMemoryStore()}
		var current [nodes]*gateway.Gateway
		o := quiet(nil)
		o.Broker, o.Sessions = gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}), gateway.NewMemorySessions()
		start := func() *gateway.Gateway {
			var gw *gateway.Gateway
			o := o
			o.Presence.Store = store
			o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
				gw.Presence().Join("everybody", s.User().ID)
				return nil, s.Subscribe(ctx, "everybody")
			}
			o.Resume = func(_ context.Context, s *gateway.Session) error {
				gw.Presence().Join("everybody", s.User().ID)
				return nil
			}
			gw = newGateway(t, o)
			return gw
		}
		network := NewNetwork(NetworkOptions{Delay: 5 * time.Millisecond})
		for i := range current {
			current[i] = start()
			network.Serve(t, fmt.Sprint("node", i), current[i])
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, clients)
		all := make([]*Client, clients)
		var told, offline, resumed atomic.Int64
		receive := func(m Message, _ error) {
			switch {
			case m.Type == "PRESENCE_UPDATE":
				told.Add(1)
				if strings.Contains(string(m.Data), `"offline"`) {
					offline.Add(1)
				}
			case m.Type == "RESUMED":
				resumed.Add(1)
			}
		}
		for i := range all {
			all[i] = network.Client(t, ClientOptions{
				Addr: fmt.Sprint("node", i%nodes), Token: fmt.Sprint("user", i), Seed: uint64(i), Ext: true,
				Intents: gateway.IntentGuildPresences, Receive: receive,
			})
			go func() { done <- all[i].Run(ctx) }()
		}
		time.Sleep(time.Minute)
		if told.Swap(0) == 0 || offline.Load() > 0 {
			t.Fatal("nobody was told who came")
		}
		store.entries.Store(0)
		for _, c := range all {
			c.Drop()
		}
		time.Sleep(3 * time.Minute)
		t.Logf("%d reconnects: %d events, %d entries put", resumed.Swap(0), told.Load(), store.entries.Swap(0))
		for i, old := range current {
			current[i] = start()
			time.Sleep(time.Second)
			old.HandTo(current[i])
			if err := old.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(20 * time.Second)
		}
		time.Sleep(5 * time.Minute)
		t.Logf("%d sessions taken over: %d events, %d entries put", resumed.Load(), told.Load(), store.entries.Load())
		if n := resumed.Load(); n < clients {
			t.Errorf("%d resumed", n)
		}
		if n := told.Load(); n > 0 {
			t.Errorf("%d events, %d of them that somebody is offline", n, offline.Load())
		}
		if err := all[0].Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if told.Load() != offline.Load() || offline.Load() != clients-1 {
			t.Errorf("when one went %d were told, %d of them that", told.Load(), offline.Load())
		}
		cancel()
		for range clients {
			<-done
		}
		for _, gw := range current {
			if err := gw.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}
