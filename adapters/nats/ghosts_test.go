package nats_test

import (
	"context"
	"os"
	"testing"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/internal/ghosts"
	"github.com/gatehouse-go/gatehouse/presence"
)

// ghostEnv has this test be a node of a NATS.
const ghostEnv = "NATS_TEST_GHOSTS"

// Processes with people are killed at random instants: nobody stays who is gone, and nobody goes who is here.
func TestGhosts(t *testing.T) {
	if addr := os.Getenv(ghostEnv); addr != "" {
		if err := haunts(addr); err != nil {
			t.Error(err)
		}
		return
	}
	t.Parallel()
	haunt(t, ghosts.Options{Kills: *instants}, false)
}

// The same, with a stream that is lost in the middle.
func TestGhostsWithoutStream(t *testing.T) {
	t.Parallel()
	haunt(t, ghosts.Options{Kills: *instants}, true)
}

func haunts(addr string) error {
	conn, err := natsgo.Connect(addr)
	if err != nil {
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	p, err := nats.NewPresence(context.Background(), js, "ghosts", nats.StoreOptions{Storage: jetstream.MemoryStorage})
	if err != nil {
		return err
	}
	return ghosts.Node(p, os.Stdin, os.Stdout)
}

func haunt(t *testing.T, o ghosts.Options, lose bool) {
	addr := embedded(t)
	o.Env = ghostEnv + "=" + addr
	o.Args = []string{"-test.run=^TestGhosts$"}
	o.Open = func() presence.Store {
		p, err := nats.NewPresence(context.Background(), connect(t, addr), "ghosts", nats.StoreOptions{Storage: jetstream.MemoryStorage})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return p
	}
	if lose {
		js := connect(t, addr)
		o.Harm = func() {
			if err := js.DeleteStream(context.Background(), "gatehouse-presence-ghosts"); err != nil {
				t.Error(err)
			}
		}
	}
	ghosts.Run(t, o)
}
