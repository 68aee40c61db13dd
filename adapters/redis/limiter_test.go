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

func limiters(client goredis.UniversalClient) func(t *testing.T) gateway.Limiter {
	return func(t *testing.T) gateway.Limiter {
		l := redis.NewLimiter(client, fmt.Sprint("limiter ", names.Add(1)), redis.LimiterOptions{})
		t.Cleanup(func() { l.Close() })
		return l
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	gatewaytest.Limiter(t, limiters(connect(t, servers.Redis(t).Addr())))
}

func TestLimiterOnCluster(t *testing.T) {
	t.Parallel()
	gatewaytest.Limiter(t, limiters(connect(t, servers.RedisCluster(t, 3, 0).Addrs()...)))
}
