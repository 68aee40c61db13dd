package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Clients that Run are sent elsewhere by a drain, and miss nothing.
func TestRunThroughADrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		oracle := NewOracle()
		o := quiet(oracle)
		o.Broker, o.Sessions = gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}), gateway.NewMemorySessions()
		old, next := newGateway(t, o), newGateway(t, o)
		network := NewNetwork(NetworkOptions{Delay: 5 * time.Millisecond})
		stop := network.Serve(t, "gateway", old)
		network.Serve(t, "elsewhere", next)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 10)
		clients := make([]*Client, cap(done))
		for i := range clients {
			clients[i] = network.Client(t, ClientOptions{Token: fmt.Sprint("user", i), Seed: uint64(i), Oracle: oracle, Ext: i%2 == 0})
			go func() { done <- clients[i].Run(ctx) }()
		}
		publish := func(gw *gateway.Gateway) {
			for range 10 {
				time.Sleep(10 * time.Millisecond)
				if err := oracle.Publish(t.Context(), gw, "news", gateway.Event{Type: "PAPER"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(time.Second)
		publish(old)
		old.HandTo(next)
		go old.Shutdown(t.Context())
		publish(next)
		time.Sleep(time.Minute)
		publish(next)
		time.Sleep(time.Second)
		r := oracle.Check()
		if r.Err() != nil || r.Told > 0 || r.Sessions != len(clients) || r.Resumes != len(clients) {
			t.Errorf("%v, %v", r, r.Err())
		}
		// A client whose server is gone for good tries on; one that is not wanted does not.
		for _, c := range clients {
			c.Go("nowhere")
		}
		stop()
		clients[0].Drop()
		time.Sleep(5 * time.Minute)
		clients[0].Go("elsewhere")
		time.Sleep(2 * time.Minute)
		if !clients[0].Ready() {
			t.Error("the client gave up")
		}
		cancel()
		for range clients {
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		}
		var ce *gateway.CloseError
		err := network.Client(t, ClientOptions{Addr: "elsewhere"}).Run(t.Context())
		if !errors.As(err, &ce) || ce.Code != gateway.CloseAuthFailed {
			t.Errorf("without a token: %v", err)
		}
	})
}
