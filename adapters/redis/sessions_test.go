package redis_test

import (
	"fmt"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

func sessions(t testing.TB, client goredis.UniversalClient, name string) *redis.Sessions {
	t.Helper()
	s, err := redis.NewSessions(t.Context(), client, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newSessions(client goredis.UniversalClient) func(t *testing.T) gateway.SessionStore {
	return func(t *testing.T) gateway.SessionStore {
		return sessions(t, client, fmt.Sprint("sessions ", names.Add(1)))
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	gatewaytest.SessionStore(t, newSessions(connect(t, servers.Redis(t).Addr())))
}

func TestSessionsOnSentinel(t *testing.T) {
	t.Parallel()
	gatewaytest.SessionStore(t, newSessions(connectSentinel(t, servers.Sentinel(t))))
}

func TestSessionsOnCluster(t *testing.T) {
	t.Parallel()
	gatewaytest.SessionStore(t, newSessions(connect(t, servers.RedisCluster(t, 3, 0).Addrs()...)))
}
