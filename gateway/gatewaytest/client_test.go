package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// quiet are options of a gateway on which any token signs in as its user,
// subscribed to "news".
func quiet(o *Oracle) gateway.Options {
	return gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			if id.Token == "" {
				return gateway.User{}, gateway.ErrUnauthorized
			}
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			if o == nil {
				return nil, s.Subscribe(ctx, "news")
			}
			return nil, o.Subscribe(ctx, s, "news")
		},
		Logger: slog.New(slog.DiscardHandler),
	}
}

func newGateway(t testing.TB, o gateway.Options) *gateway.Gateway {
	t.Helper()
	gw, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return gw
}

func TestClientSpeaksTheProtocol(t *testing.T) {
	for _, o := range []ClientOptions{
		{Token: "ann"},
		{Token: "ann", Version: 9, Ext: true},
		{Token: "ann", Compress: "zlib-stream", Ext: true},
		{Token: "ann", Encoding: "msgpack"},
		{Token: "ann", Encoding: "msgpack", Compress: "lz4", Ext: true},
		{Token: "ann", Encoding: "msgpack", Compress: "lz4", Dictionary: codec.DefaultDictionary()},
	} {
		t.Run(fmt.Sprint(o.Encoding, o.Compress, o.Dictionary != nil), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gw := newGateway(t, quiet(nil))
				gateway.Handle(gw, "ECHO", func(_ context.Context, _ *gateway.Session, in string) (string, error) {
					if in == "no" {
						return "", &gateway.CommandError{Code: "NO"}
					}
					return in + in, nil
				})
				network := NewNetwork(NetworkOptions{Delay: time.Millisecond, Jitter: 5 * time.Millisecond})
				network.Serve(t, "gateway", gw)
				c := network.Client(t, o)
				ready, err := c.Identify(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if ready.Type != "READY" || c.Session() == "" || c.Seq() != 1 {
					t.Fatalf("%v, session %q, sequence %d", ready, c.Session(), c.Seq())
				}
				long := map[string]string{"text": string(make([]byte, 3000))}
				if err := gw.Publish(t.Context(), "news", gateway.Event{Type: "PAPER", Data: long}); err != nil {
					t.Fatal(err)
				}
				m := c.Expect(t, "PAPER")
				var got map[string]string
				if err := m.Decode(&got); err != nil || got["text"] != long["text"] || m.Seq != 2 {
					t.Errorf("got %v, %v", m, err)
				}
				if o.Ext {
					var out string
					if err := c.Call(t.Context(), "ECHO", "ab", &out); err != nil || out != "abab" {
						t.Errorf("got %q, %v", out, err)
					}
					var ce *gateway.CommandError
					if err := c.Call(t.Context(), "ECHO", "no", &out); !errors.As(err, &ce) || ce.Code != "NO" {
						t.Errorf("got %v", err)
					}
				}
				// Without heartbeats the connection would not live for an hour.
				time.Sleep(time.Hour)
				if !c.Connected() {
					t.Error("the connection was lost")
				}
			})
		})
	}
}

func TestClientIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := NewNetwork(NetworkOptions{})
		stop := network.Serve(t, "gateway", newGateway(t, quiet(nil)))
		var ce *gateway.CloseError
		c := network.Client(t, ClientOptions{})
		if _, err := c.Identify(t.Context()); !errors.As(err, &ce) || ce.Code != gateway.CloseAuthFailed {
			t.Errorf("without a token: %v", err)
		}
		c = network.Client(t, ClientOptions{Token: "ann", Encoding: "xml"})
		var he *HandshakeError
		if err := c.Connect(t.Context()); !errors.As(err, &he) || he.Status != 400 {
			t.Errorf("in xml: %v", err)
		}
		c = network.Client(t, ClientOptions{Token: "ann", ManualHeartbeat: true})
		if err := c.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m, err := c.Next(t.Context()); err != nil || m.Op != OpInvalidSession {
			t.Errorf("resumed nothing: %v, %v", m, err)
		}
		if _, err := c.Identify(t.Context()); err != nil {
			t.Errorf("after op 9: %v", err)
		}
		time.Sleep(5 * time.Minute) // without a heartbeat
		if _, err := c.Next(t.Context()); !errors.As(err, &ce) || ce.Code != gateway.CloseUnknown {
			t.Errorf("without heartbeats: %v", err)
		}
		stop()
		if err := c.Connect(t.Context()); err == nil {
			t.Error("connected to nobody")
		}
		if _, err := c.Next(func() context.Context {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			t.Cleanup(cancel)
			return ctx
		}()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next: %v", err)
		}
	})
}

// A session in the hands of two clients: the second takes it over, in another
// encoding, and the first is told and acknowledges no more.
func TestAdopt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		oracle := NewOracle()
		gw := newGateway(t, quiet(oracle))
		network := NewNetwork(NetworkOptions{})
		network.Serve(t, "gateway", gw)
		publish := func() {
			if err := oracle.Publish(t.Context(), gw, "news", gateway.Event{Type: "PAPER"}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		first := network.Client(t, ClientOptions{Token: "ann", Oracle: oracle, Ext: true})
		if _, err := first.Identify(t.Context()); err != nil {
			t.Fatal(err)
		}
		publish()
		first.Expect(t, "PAPER")
		second := network.Client(t, ClientOptions{Token: "ann", Oracle: oracle, Encoding: "msgpack", Compress: "lz4"})
		second.Adopt(first)
		publish()
		first.Expect(t, "PAPER")
		if first.Heartbeat(); first.Acked() != 2 || first.Seq() != 3 {
			t.Errorf("acknowledged %d of %d", first.Acked(), first.Seq())
		}
		if err := second.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		second.Expect(t, "PAPER", "RESUMED")
		var ce *gateway.CloseError
		if _, err := first.Next(t.Context()); !errors.As(err, &ce) || ce.Code != gateway.CloseReplaced {
			t.Errorf("the first: %v", err)
		}
		if err := second.ResumeFrom(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Next(t.Context()); !errors.As(err, &ce) || ce.Code != gateway.CloseAlreadyAuthenticated {
			t.Errorf("resumed twice: %v", err)
		}
		if err := second.ResumeFrom(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		second.Expect(t, "PAPER", "RESUMED")
		if r := oracle.Check(); r.Err() != nil || r.Told > 0 || r.Sessions != 1 || r.Deliveries != 4 {
			t.Errorf("%v, %v", r, r.Err())
		}
		second.CloseWith(1000)
		synctest.Wait()
		if err := second.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := second.Next(t.Context()); err == nil {
			t.Error("the end of the connection was not reported")
		}
		if m, err := second.Next(t.Context()); err != nil || m.Op != OpInvalidSession {
			t.Errorf("after goodbye: %v, %v", m, err)
		}
	})
}
