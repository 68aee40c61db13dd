package redis_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

var instants = flag.Int("instants", 0, "at how many instants a crash test kills; 0: few")

func kills(few int) int {
	if *instants > 0 {
		return *instants
	}
	return few
}

func TestCrash(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t, "--appendfsync", "always")
	crash(t, kills(5), connect(t, s.Addr()), s)
}

func TestCrashOnCluster(t *testing.T) {
	t.Parallel()
	c := servers.RedisCluster(t, 3, 0)
	crash(t, kills(2), connect(t, c.Addrs()...), c.Nodes...)
}

// crash kills one of the nodes at each instant, and takers too.
func crash(t *testing.T, instants int, client goredis.UniversalClient, nodes ...*servers.Server) {
	var node *servers.Server
	messagetest.QueueCrash(t, messagetest.Crash{
		Taker: func(ctx context.Context) (message.Queue, error) {
			return redis.NewQueue(ctx, client, "crash", redis.QueueOptions{Lease: lease})
		},
		Kill: func() {
			node = nodes[rand.IntN(len(nodes))]
			node.Kill()
		},
		Start:    func() { node.Start() },
		Die:      func(q message.Queue) { q.(*redis.Queue).Die() },
		Instants: instants,
	})
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
