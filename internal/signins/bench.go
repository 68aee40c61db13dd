package signins

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

const (
	alone = 300  // clients of which one signs in when the one before is ready
	storm = 2000 // clients that sign in at once
)

// Bench measures sign-ins at a gateway with these options, in which each session has a topic of its own and one
// of all. Run it with -benchtime 1x: it reports the median and the 99th of 100 in milliseconds, from Identify to READY.
func Bench(b *testing.B, o gateway.Options) {
	o.Authenticate = func(_ context.Context, id gateway.Identify) (gateway.User, error) {
		return gateway.User{ID: id.Token}, nil
	}
	o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
		return nil, s.Subscribe(ctx, "all", "topic of "+s.User().ID)
	}
	o.Logger = slog.New(slog.DiscardHandler)
	o.Limits = gateway.Limits{IdentifyRate: -1, AcceptRate: -1, ConnectionsPerAddress: -1}
	gw, err := gateway.New(o)
	if err != nil {
		b.Fatal(err)
	}
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{})
	network.Serve(b, "gateway", gw)
	clients := make([]*gatewaytest.Client, 0, alone+storm)
	for i := range cap(clients) {
		c := network.Client(b, gatewaytest.ClientOptions{Token: fmt.Sprint("user", i), Seed: uint64(i)})
		if err := c.Connect(b.Context()); err != nil {
			b.Fatal(err)
		}
		clients = append(clients, c)
	}
	signIn := func(c *gatewaytest.Client) time.Duration {
		began := time.Now()
		if _, err := c.Identify(b.Context()); err != nil {
			b.Error(err)
		}
		return time.Since(began)
	}
	took := make([]time.Duration, 0, alone)
	for _, c := range clients[:alone] {
		took = append(took, signIn(c))
	}
	rush := make([]time.Duration, storm)
	b.ResetTimer()
	var all sync.WaitGroup
	for i, c := range clients[alone:] {
		all.Go(func() { rush[i] = signIn(c) })
	}
	all.Wait()
	b.ReportMetric(float64(b.Elapsed().Milliseconds()), "ms-storm")
	report(b, "alone", took)
	report(b, "storm", rush)
}

func report(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for name, at := range map[string]int{"p50": len(took) / 2, "p99": len(took) * 99 / 100} {
		b.ReportMetric(float64(took[at].Microseconds())/1000, "ms-"+what+"-"+name)
	}
}
