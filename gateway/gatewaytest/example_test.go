package gatewaytest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

// options are those of the server that is tested.
func options() gateway.Options {
	return gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, s.Subscribe(ctx, "guild:7")
		},
	}
}

func ExampleClient() {
	ctx := context.Background()
	gw, err := gateway.New(options())
	if err != nil {
		fmt.Println(err)
		return
	}
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{})
	server := http.Server{Handler: gw}
	go server.Serve(network.Listen("gateway"))
	defer server.Close()
	defer gw.Shutdown(ctx)

	ann := gatewaytest.NewClient(network, gatewaytest.ClientOptions{Token: "ann", Encoding: "msgpack"})
	defer ann.Close()
	ready, err := ann.Identify(ctx)
	fmt.Println(ready.Type, ready.Seq, err)

	ann.Drop() // the server finds the connection reset
	_, err = ann.Next(ctx)
	fmt.Println(err)
	gw.Publish(ctx, "guild:7", gateway.Event{Type: "MESSAGE_CREATE", Data: "while she was away"})

	ann.Speak("json", "") // a session may go on in another encoding
	if err := ann.Resume(ctx); err != nil {
		fmt.Println(err)
	}
	m, err := ann.Next(ctx)
	if m.Type == "RESUMED" { // if the event was still on its way
		m, err = ann.Next(ctx)
	}
	fmt.Println(m, err)
	// Output:
	// READY 1 <nil>
	// gatewaytest: dropped by the client
	// MESSAGE_CREATE s=2 "while she was away" <nil>
}

func ExampleOracle() {
	ctx := context.Background()
	oracle := gatewaytest.NewOracle()
	o := options()
	o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
		return nil, oracle.Subscribe(ctx, s, "guild:7")
	}
	gw, err := gateway.New(o)
	if err != nil {
		fmt.Println(err)
		return
	}
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{Seed: 1})
	server := http.Server{Handler: gw}
	go server.Serve(network.Listen("gateway"))
	defer server.Close()
	defer gw.Shutdown(ctx)

	ann := gatewaytest.NewClient(network, gatewaytest.ClientOptions{Token: "ann", Oracle: oracle})
	defer ann.Close()
	ann.Identify(ctx)
	for n := range 100 {
		oracle.Publish(ctx, gw, "guild:7", gateway.Event{Type: "COUNT", Data: n})
		if n%30 == 7 {
			ann.Link().KillAfterSent(100) // in the middle of the next frames
		}
		if !ann.Connected() {
			ann.Resume(ctx)
		}
	}
	for ann.Seq() < 101 {
		if _, err := ann.Next(ctx); err != nil && !ann.Connected() {
			ann.Resume(ctx)
		}
	}
	report := oracle.Check()
	fmt.Println("lost", report.Lost, "repeated", report.Repeated, "reordered", report.Reordered, report.Err())
	// Output: lost 0 repeated 0 reordered 0 <nil>
}

// The test of the package's comment.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gw, err := gateway.New(options())
		if err != nil {
			t.Fatal(err)
		}
		network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{Delay: 20 * time.Millisecond})
		network.Serve(t, "gateway", gw) // until the test ends

		ann := network.Client(t, gatewaytest.ClientOptions{Token: "ann"})
		if _, err := ann.Identify(t.Context()); err != nil {
			t.Fatal(err)
		}
		ann.Drop()
		gw.Publish(t.Context(), "guild:7", gateway.Event{Type: "MESSAGE_CREATE", Data: "hello"})
		time.Sleep(time.Minute) // of the bubble
		ann.Resume(t.Context())
		ann.Next(t.Context()) // that the connection was dropped
		ann.Expect(t, "MESSAGE_CREATE", "RESUMED")
	})
}

// Run keeps a client connected through whatever Disturb thinks of.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		oracle := gatewaytest.NewOracle()
		o := options()
		o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, oracle.Subscribe(ctx, s, "guild:7")
		}
		o.Limits.ResumeWindow = time.Hour
		o.Logger = slog.New(slog.DiscardHandler) // it says that acknowledgements are late
		gw, err := gateway.New(o)
		if err != nil {
			t.Fatal(err)
		}
		network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{Seed: 3, Delay: time.Millisecond})
		network.Serve(t, "gateway", gw)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 5)
		for i := range cap(done) {
			c := network.Client(t, gatewaytest.ClientOptions{Token: fmt.Sprint("user", i), Seed: uint64(i), Oracle: oracle})
			go func() { done <- c.Run(ctx) }()
		}
		for range 300 {
			time.Sleep(5 * time.Second)
			t.Log(network.Disturb())
			oracle.Publish(t.Context(), gw, "guild:7", gateway.Event{Type: "TICK"})
		}
		time.Sleep(10 * time.Minute) // everybody is back
		report := oracle.Check()
		if err := report.Err(); err != nil || report.Told > 0 || report.Resumes < 10 || report.Sessions != cap(done) {
			t.Errorf("%v, %v", report, err)
		}
		cancel()
		for range cap(done) {
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		}
	})
}
