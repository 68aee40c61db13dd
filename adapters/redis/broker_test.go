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

func broker(t testing.TB, client goredis.UniversalClient, name string, o redis.BrokerOptions) *redis.Broker {
	t.Helper()
	b, err := redis.NewBroker(t.Context(), client, name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// brokers are new ones on a server that all cases share.
func brokers(client goredis.UniversalClient) func(t *testing.T) gateway.Broker {
	return func(t *testing.T) gateway.Broker {
		return broker(t, client, fmt.Sprint("broker ", names.Add(1)), redis.BrokerOptions{History: 1000})
	}
}

func TestBroker(t *testing.T) {
	t.Parallel()
	gatewaytest.Broker(t, brokers(connect(t, servers.Redis(t).Addr())))
}

func TestBrokerOnSentinel(t *testing.T) {
	t.Parallel()
	gatewaytest.Broker(t, brokers(connectSentinel(t, servers.Sentinel(t))))
}

func TestBrokerOnCluster(t *testing.T) {
	t.Parallel()
	gatewaytest.Broker(t, brokers(connect(t, servers.RedisCluster(t, 3, 0).Addrs()...)))
}

func connectSentinel(t testing.TB, s *servers.Sentinels) goredis.UniversalClient {
	client := goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: s.Addrs(), MasterName: servers.SentinelMaster, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}
