package nats_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// All work with TLS and a password, or a key. Who is not let in is told why, soon, though the
// connection goes on trying.
func TestSecured(t *testing.T) {
	t.Parallel()
	certificate := servers.NewCertificate(t)
	pair, err := tls.LoadX509KeyPair(certificate.Cert, certificate.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	addr := embedded(t, func(o *server.Options) {
		o.TLS, o.TLSConfig = true, &tls.Config{Certificates: []tls.Certificate{pair}}
		o.Users = []*server.User{
			{Username: "ann", Password: "open sesame"},
			{Username: "reader", Password: "x", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"nothing"}}}},
		}
		o.Nkeys = []*server.NkeyUser{{Nkey: public}}
	})
	trusting := natsgo.Secure(certificate.Trust(t))
	t.Run("password", func(t *testing.T) {
		js := connect(t, addr, trusting, natsgo.UserInfo("ann", "open sesame"))
		gatewaytest.Broker(t, func(t *testing.T) gateway.Broker { return openBroker(t, js, fresh(), nats.BrokerOptions{}) })
		gatewaytest.SessionStore(t, func(t *testing.T) gateway.SessionStore { return openSessions(t, js, fresh(), nats.StoreOptions{}) })
	})
	t.Run("key", func(t *testing.T) {
		js := connect(t, addr, trusting, natsgo.Nkey(public, key.Sign))
		gatewaytest.Broker(t, func(t *testing.T) gateway.Broker { return openBroker(t, js, fresh(), nats.BrokerOptions{}) })
		q := open(t, js, fresh(), nats.QueueOptions{Lease: lease})
		put(t, q, "a", 0, 3)
		if got := show(take(t, q, 3)); got != "0:1 1:1 2:1 " {
			t.Errorf("took %s", got)
		}
	})
	for what, tt := range map[string]struct {
		options []natsgo.Option
		want    string
	}{
		"wrong password": {[]natsgo.Option{trusting, natsgo.UserInfo("ann", "wrong")}, "Authorization Violation"},
		"no password":    {[]natsgo.Option{trusting}, "Authorization Violation"},
		"for ever": {[]natsgo.Option{trusting, natsgo.UserInfo("ann", "wrong"), natsgo.IgnoreAuthErrorAbort()},
			"Authorization Violation"},
		"not permitted":   {[]natsgo.Option{trusting, natsgo.UserInfo("reader", "x")}, "Permissions Violation"},
		"trusting nobody": {[]natsgo.Option{natsgo.UserInfo("ann", "open sesame")}, "certificate"}, // the client takes to TLS by itself
		"unknown signer":  {[]natsgo.Option{natsgo.Secure(&tls.Config{}), natsgo.UserInfo("ann", "open sesame")}, "certificate"},
	} {
		for kind, open := range map[string]func(context.Context) error{
			"queue": func(ctx context.Context) error {
				q, err := nats.NewQueue(ctx, connect(t, addr, tt.options...), fresh(), nats.QueueOptions{})
				if err == nil {
					q.Close()
				}
				return err
			},
			"broker": func(ctx context.Context) error {
				b, err := nats.NewBroker(ctx, connect(t, addr, tt.options...), fresh(), nats.BrokerOptions{})
				if err == nil {
					b.Close()
				}
				return err
			},
			"sessions": func(ctx context.Context) error {
				s, err := nats.NewSessions(ctx, connect(t, addr, tt.options...), fresh(), nats.StoreOptions{})
				if err == nil {
					s.Close()
				}
				return err
			},
		} {
			if kind != "broker" && what != "wrong password" {
				continue // most wait for ten seconds
			}
			t.Run(what+", "+kind, func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				err := open(t.Context())
				if took := time.Since(began); err == nil || !strings.Contains(err.Error(), tt.want) || took > 20*time.Second {
					t.Errorf("after %v: %v, want %s", took, err, tt.want)
				}
				t.Logf("%v: %v", time.Since(began), err)
			})
		}
	}
}

// fresh is a name that nothing has.
func fresh() string { return fmt.Sprint("secured-", names.Add(1)) }
