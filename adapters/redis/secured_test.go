package redis_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// secured is a client of a server that wants TLS and a password.
func secured(t testing.TB, s *servers.Secured, change func(*goredis.Options)) *goredis.Client {
	o := &goredis.Options{Addr: s.Addr(), Username: s.User, Password: s.Password, TLSConfig: s.TLS.Clone(), ContextTimeoutEnabled: true}
	if change != nil {
		change(o)
	}
	client := goredis.NewClient(o)
	t.Cleanup(func() { client.Close() })
	return client
}

// All work with TLS and an ACL.
func TestSecured(t *testing.T) {
	t.Parallel()
	client := secured(t, servers.SecuredRedis(t), nil)
	t.Run("queue", func(t *testing.T) { messagetest.Queue(t, queues(client)) })
	t.Run("broker", func(t *testing.T) {
		gatewaytest.Broker(t, brokers(client))
	})
	t.Run("sessions", func(t *testing.T) {
		gatewaytest.SessionStore(t, newSessions(client))
	})
}

// Who is not let in is told why, soon, and by what makes a thing, not later.
func TestNotLetIn(t *testing.T) {
	t.Parallel()
	s := servers.SecuredRedis(t)
	admin := secured(t, s, nil)
	// A user who may use the keys, and no scripts.
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "reader", "on", ">x", "~*", "&*", "+@all", "-@scripting").Err(); err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct {
		change func(*goredis.Options)
		want   string
	}{
		"wrong password":   {func(o *goredis.Options) { o.Password = "wrong" }, "WRONGPASS"},
		"no password":      {func(o *goredis.Options) { o.Username, o.Password = "", "" }, "NOAUTH"},
		"not permitted":    {func(o *goredis.Options) { o.Username, o.Password = "reader", "x" }, "NOPERM"},
		"no TLS":           {func(o *goredis.Options) { o.TLSConfig = nil }, "EOF"},
		"unknown signer":   {func(o *goredis.Options) { o.TLSConfig = &tls.Config{} }, "certificate"},
		"protocol 2, also": {func(o *goredis.Options) { o.Protocol, o.Password = 2, "wrong" }, "WRONGPASS"},
	} {
		client := secured(t, s, tt.change)
		for kind, open := range map[string]func(context.Context) error{
			"queue": func(ctx context.Context) error {
				q, err := redis.NewQueue(ctx, client, "q", redis.QueueOptions{})
				if err == nil {
					q.Close()
				}
				return err
			},
			"broker": func(ctx context.Context) error {
				b, err := redis.NewBroker(ctx, client, "b", redis.BrokerOptions{Logger: slog.New(slog.DiscardHandler)})
				if err == nil {
					b.Close()
				}
				return err
			},
			"sessions": func(ctx context.Context) error {
				s, err := redis.NewSessions(ctx, client, "s")
				if err == nil {
					s.Close()
				}
				return err
			},
		} {
			t.Run(what+", "+kind, func(t *testing.T) {
				began := time.Now()
				err := open(t.Context())
				if took := time.Since(began); err == nil || !strings.Contains(err.Error(), tt.want) || took > 10*time.Second {
					t.Errorf("after %v: %v, want %s", took, err, tt.want)
				}
				t.Logf("%v: %v", time.Since(began), err)
			})
		}
	}
}
