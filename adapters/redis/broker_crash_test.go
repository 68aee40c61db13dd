package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// audience is a feed that keeps what it is given, by topic. A gap is -1.
type audience struct {
	gateway.Feed
	mu  sync.Mutex
	got map[string][]int
}

func listen(t *testing.T, b gateway.Broker, topics []string) *audience {
	t.Helper()
	a := &audience{got: make(map[string][]int)}
	var err error
	if a.Feed, err = b.Open(t.Context(), a.deliver); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(context.Background()) })
	for _, topic := range topics {
		if _, err := a.Follow(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func (a *audience) deliver(rec gateway.Record) {
	n := -1
	if !rec.Gap {
		_ = json.Unmarshal(rec.Data, &n) // it is a number
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got[rec.Topic] = append(a.got[rec.Topic], n)
}

func (a *audience) last(topic string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := a.got[topic]; len(got) > 0 {
		return got[len(got)-1]
	}
	return -1
}

// talk publishes 1, 2, … to topics until ctx ends, and one more of each at the end, which is heard. It returns
// which of them were acknowledged.
func talk(ctx context.Context, t *testing.T, p *redis.Publisher, topics []string, said *atomic.Int64) map[string][]bool {
	acknowledged := make(map[string][]bool)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, topic := range topics {
		all.Go(func() {
			acked := []bool{false}
			for last := false; !last; {
				last = ctx.Err() != nil
				err := p.Publish(context.Background(), topic, gateway.Event{Type: "N", Data: len(acked)})
				if last && err != nil {
					last = false // it is to be heard
				}
				acked = append(acked, err == nil)
				said.Add(1)
			}
			mu.Lock()
			defer mu.Unlock()
			acknowledged[topic] = acked
		})
	}
	all.Wait()
	return acknowledged
}

// judge counts what of the acknowledged an audience was not given, and was told so or not; each may come once, in
// order.
func (a *audience) judge(t *testing.T, acknowledged map[string][]bool) (heard, told, untold, gaps int) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for topic, acked := range acknowledged {
		last, gap := 0, false
		for _, n := range a.got[topic] {
			if n < 0 {
				gap = true
				gaps++
				continue
			}
			if n <= last {
				t.Errorf("%s: %d came after %d", topic, n, last)
			}
			for missing := last + 1; missing < n; missing++ {
				switch {
				case !acked[missing]:
				case gap:
					told++
				default:
					untold++
				}
			}
			last, gap = max(n, last), false
			heard++
		}
	}
	return heard, told, untold, gaps
}

// besiege has events published and heard while harm is done, and judges. history says that nothing may be
// lost at all.
func besiege(t *testing.T, client func() goredis.UniversalClient, history bool, harm func(busy func())) {
	var topics []string
	for i := range 12 {
		topics = append(topics, fmt.Sprint("guild:", i))
	}
	name := fmt.Sprint("siege ", names.Add(1))
	o := redis.BrokerOptions{Partitions: 8, History: 100_000, Timeout: 2 * time.Second}
	var audiences []*audience
	for range 2 {
		audiences = append(audiences, listen(t, broker(t, client(), name, o), topics))
	}
	p, err := redis.NewPublisher(t.Context(), client(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	ctx, stop := context.WithCancel(t.Context())
	var said atomic.Int64
	var acknowledged map[string][]bool
	var talking sync.WaitGroup
	talking.Go(func() { acknowledged = talk(ctx, t, p, topics, &said) })
	busy := func() { // until more was said
		until := said.Load() + 200
		eventually(t, "publishing", func() error {
			if n := said.Load(); n < until {
				return fmt.Errorf("%d of %d were published", n, until)
			}
			return nil
		})
	}
	busy()
	harm(busy)
	busy()
	stop()
	talking.Wait()
	total := 0
	for topic, acked := range acknowledged {
		for i, a := range audiences {
			eventually(t, "the last one", func() error {
				if n := a.last(topic); n != len(acked)-1 {
					return fmt.Errorf("audience %d has heard %d of %d in %s", i, n, len(acked)-1, topic)
				}
				return nil
			})
		}
		for _, ok := range acked {
			if ok {
				total++
			}
		}
	}
	for i, a := range audiences {
		heard, told, untold, gaps := a.judge(t, acknowledged)
		t.Logf("audience %d heard %d of %d acknowledged of %d: lost and told %d, lost untold %d, gaps %d", i, heard, total, said.Load(), told, untold, gaps)
		if untold > 0 || history && (told > 0 || gaps > 0) {
			t.Errorf("audience %d lost %d untold, %d told in %d gaps", i, untold, told, gaps)
		}
	}
}

// A server that is killed and started again under load loses nothing, and nobody is told that it did.
func TestBrokerCrash(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	besiege(t, func() goredis.UniversalClient { return connect(t, s.Addr()) }, true, func(busy func()) {
		for range kills(4) {
			busy()
			s.Kill()
			s.Start()
		}
	})
}

func TestBrokerCrashOnCluster(t *testing.T) {
	t.Parallel()
	c := servers.RedisCluster(t, 3, 0)
	besiege(t, func() goredis.UniversalClient { return connect(t, c.Addrs()...) }, true, func(busy func()) {
		for i := range kills(3) {
			busy()
			c.Nodes[i%3].Kill()
			c.Nodes[i%3].Start()
		}
	})
}

// A failover may lose the newest records: then it is told.
func TestBrokerFailover(t *testing.T) {
	t.Parallel()
	s := servers.Sentinel(t)
	besiege(t, func() goredis.UniversalClient { return connectSentinel(t, s) }, false, func(busy func()) {
		busy()
		s.Master.Kill()
		busy()
	})
}

func TestBrokerFailoverOnCluster(t *testing.T) {
	t.Parallel()
	c := servers.RedisCluster(t, 3, 1)
	besiege(t, func() goredis.UniversalClient { return connect(t, c.Addrs()...) }, false, func(busy func()) {
		busy()
		c.Nodes[0].Kill()
		busy()
	})
}
