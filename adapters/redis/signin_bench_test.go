package redis_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/internal/signins"
)

// BenchmarkSignIn has clients sign in at a node whose broker and sessions are in Redis.
func BenchmarkSignIn(b *testing.B) {
	client := connect(b, servers.Redis(b).Addr())
	signins.Bench(b, gateway.Options{Broker: broker(b, client, "bench", redis.BrokerOptions{}), Sessions: sessions(b, client, "bench")})
}
