package gatewaytest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

// A client that asks to resume, from too far back, on a connection that has its
// session is refused, and neither it nor the oracle forgets what it has seen.
func TestResumeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		oracle := gatewaytest.NewOracle()
		o := options()
		o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, oracle.Subscribe(ctx, s, "guild:7")
		}
		gw, err := gateway.New(o)
		if err != nil {
			t.Fatal(err)
		}
		network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{})
		network.Serve(t, "gateway", gw)
		ann := network.Client(t, gatewaytest.ClientOptions{Token: "ann", Oracle: oracle})
		if _, err := ann.Identify(t.Context()); err != nil {
			t.Fatal(err)
		}
		publish := func() {
			if err := oracle.Publish(t.Context(), gw, "guild:7", gateway.Event{Type: "COUNT"}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		publish()
		if err := ann.ResumeFrom(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if ann.Seq() != 2 {
			t.Errorf("sequence %d, want 2", ann.Seq())
		}
		ann.Expect(t, "COUNT")
		var ce *gateway.CloseError
		if _, err := ann.Next(t.Context()); !errors.As(err, &ce) || ce.Code != gateway.CloseAlreadyAuthenticated {
			t.Fatalf("%v, want 4005", err)
		}
		publish()
		if err := ann.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		ann.Expect(t, "COUNT", "RESUMED")
		if report := oracle.Check(); report.Err() != nil {
			t.Error(report)
		}
	})
}

// A client that has seen events of more topics than fit into a message names the
// newest, and is not refused.
func TestResumeWithManyPlaces(t *testing.T) {
	for _, encoding := range []string{"json", "msgpack"} {
		t.Run(encoding, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { resumeWithManyPlaces(t, encoding) }) })
	}
}

func resumeWithManyPlaces(t *testing.T, encoding string) {
	const topics = 300
	o := options()
	o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
		for i := range topics {
			if err := s.Subscribe(ctx, fmt.Sprint("topic ", i)); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	gw, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{})
	network.Serve(t, "gateway", gw)
	ann := network.Client(t, gatewaytest.ClientOptions{Token: "ann", Encoding: encoding, Positions: true})
	if _, err := ann.Identify(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range topics {
		if err := gw.Publish(t.Context(), fmt.Sprint("topic ", i), gateway.Event{Type: "COUNT", Data: i}); err != nil {
			t.Fatal(err)
		}
		ann.Expect(t, "COUNT")
	}
	ann.Drop()
	if err := ann.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	var dropped error
	if _, dropped = ann.Next(t.Context()); dropped == nil {
		t.Fatal("the connection was not dropped")
	}
	ann.Expect(t, "RESUMED")
}
