package redis_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/shard"
	"github.com/gatehouse-go/gatehouse/shard/shardtest"
)

func directory(t testing.TB, client goredis.UniversalClient, name string) *redis.Directory {
	t.Helper()
	d, err := redis.NewDirectory(t.Context(), client, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func directories(client goredis.UniversalClient) func(t testing.TB) shard.Directory {
	return func(t testing.TB) shard.Directory { return directory(t, client, fmt.Sprint("nodes ", names.Add(1))) }
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	shardtest.Directory(t, directories(connect(t, servers.Redis(t).Addr())))
}

func TestDirectoryOnCluster(t *testing.T) {
	t.Parallel()
	shardtest.Directory(t, directories(connect(t, servers.RedisCluster(t, 3, 0).Addrs()...)))
}

// What a directory keeps is gone when its last lease is over.
func TestDirectoryExpires(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	d := directory(t, client, "short")
	err := errors.Join(d.Announce(t.Context(), shard.Member{ID: "a"}, time.Second), d.Announce(t.Context(), shard.Member{ID: "b"}, 2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "no keys", func() error {
		keys, err := client.Keys(t.Context(), "*").Result()
		if err != nil || len(keys) > 0 {
			return fmt.Errorf("%v, %v", keys, err)
		}
		return nil
	})
}

// directoryEnv has the test binary be a node, of the directory at this address, until it is killed.
const directoryEnv = "GATEHOUSE_TEST_REDIS_NODE"

func TestMain(m *testing.M) {
	if addr := os.Getenv(directoryEnv); addr != "" {
		beNode(addr)
		return
	}
	os.Exit(m.Run())
}

func beNode(addr string) {
	client := goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: []string{addr}})
	d, err := redis.NewDirectory(context.Background(), client, "nodes")
	if err == nil {
		_, err = shard.Join(context.Background(), d, shard.RosterOptions{Self: shard.Member{ID: "child"}, Lease: lease, Settle: lease / 2})
	}
	fmt.Println("joined", err)
	bufio.NewReader(os.Stdin).ReadByte() // it ends with the test
}

// changes are what a roster was told of.
type changes struct {
	mu   sync.Mutex
	seen [][]shard.Member
}

func (c *changes) told(_ context.Context, _, now *shard.View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, now.Members())
}

// await waits for the nth change, of which there may be no more, and to these members.
func (c *changes) await(t *testing.T, n int, ids ...string) {
	t.Helper()
	eventually(t, fmt.Sprint("change to ", ids), func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.seen) < n {
			return fmt.Errorf("changes to %v", c.seen)
		}
		var got []string
		for _, m := range c.seen[n-1] {
			got = append(got, m.ID)
		}
		if len(c.seen) > n || !slices.Equal(got, ids) {
			t.Fatalf("changes to %v, want %d, the last to %v", c.seen, n, ids)
		}
		return nil
	})
}

// A node that is killed is missed when its lease is over, once. A Redis that was killed, or has forgotten
// everything, causes no change.
func TestDirectoryOfTheKilled(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	d := directory(t, connect(t, s.Addr()), "nodes")
	var seen changes
	roster, err := shard.Join(t.Context(), d, shard.RosterOptions{Self: shard.Member{ID: "parent"}, Lease: lease, Settle: lease / 2, OnChange: seen.told})
	if err != nil {
		t.Fatal(err)
	}
	defer roster.Leave(context.Background())
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), directoryEnv+"="+s.Addr())
	if _, err := child.StdinPipe(); err != nil { // which stays open
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := sync.OnceFunc(func() {
		child.Process.Kill()
		child.Wait()
	})
	defer killed()
	seen.await(t, 1, "child", "parent")

	s.Kill()
	eventually(t, "an error", func() error {
		if roster.Err() == nil {
			return errors.New("none")
		}
		return nil
	})
	wait(t.Context(), lease)
	s.Start()
	eventually(t, "none any more", roster.Err)
	if err := connect(t, s.Addr()).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	wait(t.Context(), 2*lease)
	seen.await(t, 1, "child", "parent")

	began := time.Now()
	killed()
	seen.await(t, 2, "parent")
	if took := time.Since(began); took < lease/2 {
		t.Errorf("it was missed after %v", took)
	}
	wait(t.Context(), 2*lease)
	seen.await(t, 2, "parent")
	members, err := d.Members(t.Context())
	if err != nil || len(members) != 1 {
		t.Errorf("the members are %v, %v", members, err)
	}
}
