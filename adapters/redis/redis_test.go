package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// lease is that of takers that die: long for a machine that is busy, short for who waits for it.
const lease = 2 * time.Second

// patience is how long what must happen may take. Nothing waits for it to pass.
const patience = time.Minute

func connect(t testing.TB, addrs ...string) goredis.UniversalClient {
	client := goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: addrs, ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	return client
}

func open(t testing.TB, client goredis.UniversalClient, name string, o redis.QueueOptions) *redis.Queue {
	t.Helper()
	q, err := redis.NewQueue(t.Context(), client, name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

var names atomic.Int64

// queues are new ones on a server that all cases share.
func queues(client goredis.UniversalClient) func(t testing.TB) messagetest.Queues {
	return func(t testing.TB) messagetest.Queues {
		name := fmt.Sprint("queue ", names.Add(1))
		return messagetest.Queues{
			Taker: func(t testing.TB) message.Queue { return open(t, client, name, redis.QueueOptions{Lease: lease}) },
			Kill:  func(q message.Queue) { q.(*redis.Queue).Die() },
		}
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	messagetest.Queue(t, queues(connect(t, servers.Redis(t).Addr())))
}

func TestQueueOnCluster(t *testing.T) {
	t.Parallel()
	messagetest.Queue(t, queues(connect(t, servers.RedisCluster(t, 3, 0).Addrs()...)))
}

// eventually tries until it succeeds.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func take(t *testing.T, q *redis.Queue, n int) (items []message.Item) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for len(items) < n {
		some, err := q.Take(ctx, n-len(items))
		if err != nil {
			t.Fatalf("with %d of %d items: %v", len(items), n, err)
		}
		items = append(items, some...)
	}
	return items
}

// Takers that come and go have the partitions evenly, and all of them.
func TestShares(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	var takers []*redis.Queue
	join := func() {
		q := open(t, client, "q", redis.QueueOptions{Partitions: 8, Lease: lease})
		takers = append(takers, q)
		go func() {
			for {
				if _, err := q.Take(context.Background(), 1); errors.Is(err, message.ErrClosed) {
					return
				}
			}
		}()
	}
	shares := func(want string) {
		t.Helper()
		eventually(t, "shares", func() error {
			var held []string
			for _, q := range takers {
				held = append(held, fmt.Sprint(q.Held()))
			}
			least, most, all := 8, 0, 0
			for _, q := range takers {
				least, most, all = min(least, q.Held()), max(most, q.Held()), all+q.Held()
			}
			if got := strings.Join(held, " "); all != 8 || most-least > 1 {
				return fmt.Errorf("held are %s, want %s in some order", got, want)
			}
			return nil
		})
	}
	join()
	shares("8")
	join()
	shares("4 4")
	join()
	shares("3 3 2")
	takers[0].Close()
	takers = takers[1:]
	shares("4 4")
	takers[0].Die()
	takers = takers[1:]
	shares("8")
}

// A taker that nobody asks for items gives up what it has none of.
func TestIdleTaker(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	first := open(t, client, "q", redis.QueueOptions{Lease: lease})
	second := open(t, client, "q", redis.QueueOptions{Lease: lease})
	if err := first.Put(t.Context(), message.Item{Key: "k", Data: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	take(t, first, 1) // and keeps it
	for i := range 16 {
		if err := first.Put(t.Context(), message.Item{Key: fmt.Sprint("key ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	others := 0
	for i := range 16 {
		if first.Partition(fmt.Sprint("key ", i)) != first.Partition("k") {
			others++
		}
	}
	if err := second.Ack(t.Context(), take(t, second, others)...); err != nil {
		t.Error(err)
	}
	eventually(t, "what the first one has", func() error {
		if first.Held() != 1 {
			return fmt.Errorf("it holds %d partitions", first.Held())
		}
		return nil
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t, "--maxmemory", "10mb")
	client := connect(t, s.Addr())
	open(t, client, "four", redis.QueueOptions{Partitions: 4})
	open(t, client, "four", redis.QueueOptions{})
	if err := client.HSet(t.Context(), "gatehouse:queue:{new}:layout", "version", 2, "partitions", 16).Err(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		o    redis.QueueOptions
		want error
	}{
		{"", redis.QueueOptions{}, redis.ErrName},
		{"{q}", redis.QueueOptions{}, redis.ErrName},
		{"four", redis.QueueOptions{Partitions: 5}, redis.ErrPartitions},
		{"new", redis.QueueOptions{}, redis.ErrTooNew},
	}
	for _, tt := range tests {
		if _, err := redis.NewQueue(t.Context(), client, tt.name, tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%q with %+v: got %v, want %v", tt.name, tt.o, err, tt.want)
		}
	}
	if err := client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := redis.NewQueue(t.Context(), client, "four", redis.QueueOptions{}); !errors.Is(err, redis.ErrEvicts) {
		t.Errorf("with allkeys-lru: %v", err)
	}
}

// A queue whose server's memory is full takes no more, and can be drained.
func TestFull(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t, "--maxmemory", "8mb").Addr())
	q := open(t, client, "q", redis.QueueOptions{Lease: lease})
	put := 0
	for ; ; put++ {
		err := q.Put(t.Context(), message.Item{Key: "k", Data: []byte(strings.Repeat("x", 20_000))})
		if err != nil {
			if !goredis.HasErrorPrefix(err, "OOM") {
				t.Fatal(err)
			}
			break
		}
	}
	items := take(t, q, put)
	if err := q.Bury(t.Context(), "too much", items[0]); err != nil {
		t.Error(err)
	}
	if err := q.Ack(t.Context(), items[1:]...); err != nil {
		t.Error(err)
	}
	if err := q.Put(t.Context(), message.Item{Key: "k"}); err != nil {
		t.Errorf("when it is empty again: %v", err)
	}
}

// A server that forgets the scripts, or everything, is used on.
func TestForgetfulServer(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	q := open(t, client, "q", redis.QueueOptions{Lease: 400 * time.Millisecond})
	for i, forget := range []func(context.Context) *goredis.StatusCmd{client.ScriptFlush, client.FlushAll, client.ScriptFlush} {
		if err := q.Put(t.Context(), message.Item{Key: "k", Data: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
		items := take(t, q, 1)
		if string(items[0].Data) != fmt.Sprint(i) {
			t.Errorf("got %q, want %d", items[0].Data, i)
		}
		if err := forget(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := q.Ack(t.Context(), items...); err != nil {
			t.Error(err)
		}
	}
}

// What was acknowledged while the server was down is acknowledged when it is back.
func TestAckWhileDown(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	client := connect(t, s.Addr())
	q := open(t, client, "q", redis.QueueOptions{Lease: lease})
	for i := range 3 {
		if err := q.Put(t.Context(), message.Item{Key: "k", Data: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	items := take(t, q, 3)
	s.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := q.Ack(ctx, items[0]); err == nil {
		t.Error("Ack of a server that is down returned nil")
	}
	if err := q.Bury(ctx, "because", items[1]); err == nil {
		t.Error("Bury of a server that is down returned nil")
	}
	s.Start()
	eventually(t, "what is left", func() error {
		left, err := client.XLen(t.Context(), q.Items("k")).Result()
		if err != nil || left != 1 {
			return fmt.Errorf("%d items, %v", left, err)
		}
		return nil
	})
	dead, err := q.Dead(t.Context(), 10)
	if err != nil || len(dead) != 1 || string(dead[0].Data) != "1" || dead[0].Why != "because" {
		t.Errorf("the dead are %v, %v", dead, err)
	}
}

// deaf is a server that takes connections and never answers.
func deaf(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	return l.Addr().String()
}

// Whoever waits for a server that does not answer waits no longer than his context, however the
// client is set.
func TestDeafServer(t *testing.T) {
	t.Parallel()
	for _, heeds := range []bool{true, false} {
		client := goredis.NewUniversalClient(&goredis.UniversalOptions{Addrs: []string{deaf(t)}, ContextTimeoutEnabled: heeds})
		defer client.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := redis.NewQueue(ctx, client, "q", redis.QueueOptions{})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 8*time.Second {
			t.Errorf("NewQueue took %v: %v", took, err)
		}
	}
}
