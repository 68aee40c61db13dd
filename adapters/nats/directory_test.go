package nats_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/shard"
	"github.com/gatehouse-go/gatehouse/shard/shardtest"
)

func TestDirectory(t *testing.T) {
	t.Parallel()
	directoryKit(t, embedded(t), nats.StoreOptions{Storage: jetstream.MemoryStorage})
}

func TestDirectoryOnDisk(t *testing.T) {
	t.Parallel()
	directoryKit(t, newProcess(t).Addr(), nats.StoreOptions{})
}

func TestDirectoryOnCluster(t *testing.T) {
	t.Parallel()
	directoryKit(t, clustered(t), nats.StoreOptions{Replicas: 3})
}

// directoryKit has all cases share a server.
func directoryKit(t *testing.T, addrs string, o nats.StoreOptions) {
	js := connect(t, addrs)
	shardtest.Directory(t, func(t testing.TB) shard.Directory { return openDirectory(t, js, fmt.Sprint("kit-", names.Add(1)), o) })
}

func openDirectory(t testing.TB, js jetstream.JetStream, name string, o nats.StoreOptions) *nats.Directory {
	t.Helper()
	d, err := nats.NewDirectory(context.Background(), js, name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// A server that is killed takes nobody out of the ring; a node that leaves is out of it, once.
func TestDirectorySurvivesAKill(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	js := connect(t, p.Addr())
	const lease = 2 * time.Second
	changes := make(chan string, 10)
	join := func(id string) *shard.Roster {
		r, err := shard.Join(t.Context(), openDirectory(t, js, "kill", nats.StoreOptions{}), shard.RosterOptions{
			Self: shard.Member{ID: id}, Lease: lease, Settle: lease / 2,
			OnChange: func(_ context.Context, was, now *shard.View) {
				if id == "a" {
					changes <- fmt.Sprint(len(was.Members()), " to ", len(now.Members()))
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Leave(context.Background()) })
		return r
	}
	a, b := join("a"), join("b")
	await := func(want string) {
		t.Helper()
		select {
		case got := <-changes:
			if got != want {
				t.Fatalf("a change from %s, want %s", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("no change from %s", want)
		}
	}
	await("1 to 2")
	p.Kill()
	eventually(t, "an error", func() error {
		if a.Err() == nil || b.Err() == nil {
			return fmt.Errorf("%v, %v", a.Err(), b.Err())
		}
		return nil
	})
	<-time.After(lease)
	p.Start()
	eventually(t, "none any more", func() error {
		if a.Err() != nil {
			return a.Err()
		}
		return b.Err()
	})
	<-time.After(2 * lease)
	if err := b.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	await("2 to 1")
}
