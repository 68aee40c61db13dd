package redis_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/internal/ghosts"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/presence"
)

// ghostEnv has this test be a node of a Redis.
const ghostEnv = "REDIS_TEST_GHOSTS"

// Processes with people are killed at random instants: nobody stays who is gone, and nobody goes who is here.
func TestGhosts(t *testing.T) {
	if addr := os.Getenv(ghostEnv); addr != "" {
		if err := ghosts.Node(redis.NewPresence(goredis.NewClient(&goredis.Options{Addr: addr}), "ghosts", redis.PresenceOptions{}), os.Stdin, os.Stdout); err != nil {
			t.Error(err)
		}
		return
	}
	t.Parallel()
	haunt(t, ghosts.Options{Kills: kills(3)})
}

// The same, with a Redis that loses everything in the middle.
func TestGhostsFlushed(t *testing.T) {
	t.Parallel()
	haunt(t, ghosts.Options{Kills: kills(2)}, "flush")
}

func haunt(t *testing.T, o ghosts.Options, harm ...string) {
	addr := servers.Redis(t).Addr()
	client := connect(t, addr)
	o.Env = ghostEnv + "=" + addr
	o.Args = []string{"-test.run=^TestGhosts$"}
	o.Open = func() presence.Store {
		p := redis.NewPresence(client, "ghosts", redis.PresenceOptions{})
		t.Cleanup(func() { p.Close() })
		return p
	}
	if len(harm) > 0 {
		o.Harm = func() {
			if err := client.FlushAll(context.Background()).Err(); err != nil {
				t.Error(fmt.Errorf("flush: %w", err))
			}
		}
	}
	ghosts.Run(t, o)
}
