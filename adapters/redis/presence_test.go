package redis_test

import (
	"fmt"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/presence"
	"github.com/gatehouse-go/gatehouse/presence/presencetest"
)

func presences(client goredis.UniversalClient) func(t testing.TB) presence.Store {
	return func(t testing.TB) presence.Store {
		p := redis.NewPresence(client, fmt.Sprint("presence ", names.Add(1)), redis.PresenceOptions{})
		t.Cleanup(func() { p.Close() })
		return p
	}
}

func TestPresence(t *testing.T) {
	t.Parallel()
	presencetest.Run(t, presences(connect(t, servers.Redis(t).Addr())))
}

func TestPresenceOnCluster(t *testing.T) {
	t.Parallel()
	presencetest.Run(t, presences(connect(t, servers.RedisCluster(t, 3, 0).Addrs()...)))
}
