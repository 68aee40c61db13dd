package nats_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// poor is a configuration with an account that has 1 MB.
const poor = `
jetstream {}
accounts { POOR { jetstream { max_file: 1048576 }, users [{ user: ann, password: ann }] } }
`

// What is full takes no more, and is emptied all the same: the queue by its own limit, or all of the
// account's or the server's storage, in which nothing can be written.
func TestFull(t *testing.T) {
	t.Parallel()
	const most = 1 << 20
	tests := []struct {
		name   string
		server func(*server.Options)
		o      nats.QueueOptions
		code   jetstream.ErrorCode
	}{
		{"queue", func(*server.Options) {}, nats.QueueOptions{MaxBytes: most}, 10077},
		{"account", func(o *server.Options) {
			name := filepath.Join(t.TempDir(), "poor.conf")
			if err := errors.Join(os.WriteFile(name, []byte(poor), 0o644), o.ProcessConfigFile(name)); err != nil {
				t.Fatal(err)
			}
		}, nats.QueueOptions{}, 10002},
		{"server", func(o *server.Options) { o.JetStreamMaxStore = most }, nats.QueueOptions{}, 10023},
		{"memory", func(o *server.Options) { o.JetStreamMaxMemory = most }, nats.QueueOptions{Storage: jetstream.MemoryStorage}, 10023},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.o.Lease = lease
			q := open(t, connect(t, embedded(t, tt.server), natsgo.UserInfo("ann", "ann")), "q", tt.o)
			n := 0
			for ; ; n++ {
				err := q.Put(t.Context(), message.Item{Key: "k", Data: make([]byte, 20_000)})
				if said := (jetstream.JetStreamError)(nil); errors.As(err, &said) && said.APIError().ErrorCode == tt.code {
					break
				}
				if err != nil || n > most/20_000 {
					t.Fatalf("put %d: %v", n, err)
				}
			}
			items := take(t, q, n)
			if err := q.Ack(t.Context(), items[1:]...); err != nil {
				t.Error(err)
			}
			if err := q.Bury(t.Context(), "too much", items[0]); err != nil {
				t.Error(err)
			}
			put(t, q, "k", 0, 1)
			if text := show(take(t, q, 1)); text != "0:1 " {
				t.Errorf("then it was %s", text)
			}
		})
	}
}

// A burial that fails is tried again, and the item is not given to anybody meanwhile.
func TestBuryLater(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	q := open(t, js, "q", nats.QueueOptions{Lease: lease})
	put(t, q, "k", 0, 2)
	items := take(t, q, 2)
	_, name := q.Streams()
	side, err := js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	o := side.CachedInfo().Config
	o.MaxMsgSize = 1
	if _, err := js.UpdateStream(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := q.Bury(t.Context(), "because", items[0]); err == nil {
		t.Error("a stream that takes nothing took a burial")
	}
	o.MaxMsgSize = -1
	if _, err := js.UpdateStream(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the dead", func() error {
		dead, err := q.Dead(t.Context(), 10)
		if err == nil && (len(dead) != 1 || dead[0].Why != "because" || string(dead[0].Data) != "0") {
			err = errors.New("not yet")
		}
		return err
	})
	q.Die()
	next := open(t, js, "q", nats.QueueOptions{Lease: lease})
	if text := show(take(t, next, 1)); text != "1:2 " {
		t.Errorf("what is left is %s", text)
	}
}
