package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The broker is killed under load and started again: every node is given every record once, in its
// order, and says meanwhile that the brokers are away.
func TestCrashEvents(t *testing.T) {
	t.Parallel()
	const names = 4
	s := broker(t)
	o := brokerOptions(s.Addr())
	var nodes []*kafka.Broker
	var watches []*watch
	for range 2 {
		b := openBroker(t, o)
		w := watching(t, b)
		for i := range names {
			w.follow(t, fmt.Sprint("topic:", i))
		}
		nodes, watches = append(nodes, b), append(watches, w)
	}
	from := watches[0].follow(t, "topic:0")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var load sync.WaitGroup
	sent := make([]int, names)
	for i := range names {
		load.Go(func() {
			for ctx.Err() == nil {
				once, cancel := context.WithTimeout(context.Background(), time.Minute)
				err := nodes[i%2].Publish(once, number(fmt.Sprint("topic:", i), sent[i]))
				cancel()
				if err != nil {
					t.Errorf("publish: %v", err)
					return
				}
				sent[i]++
			}
		})
	}
	for range *instants {
		rest(ctx, 700*time.Millisecond)
		s.Kill()
		for _, b := range nodes {
			eventually(t, "the broker is away", func() error {
				if b.Err() == nil {
					return errors.New("a node does not say so")
				}
				return nil
			})
		}
		s.Start()
	}
	rest(ctx, 500*time.Millisecond)
	stop()
	load.Wait()
	total := 0
	for i := range names {
		for _, w := range watches {
			w.has(t, fmt.Sprint("topic:", i), numbers(0, sent[i]))
		}
		total += sent[i]
	}
	recs, err := nodes[1].Since(soon(t), from)
	n := 0
	for _, rec := range recs {
		if rec.Topic == "topic:0" {
			if string(rec.Data) != fmt.Sprint(n) {
				t.Fatalf("record %d of the history is %s", n, rec.Data)
			}
			n++
		}
	}
	if err != nil || n != sent[0] {
		t.Errorf("the history has %d records of %d, %v", n, sent[0], err)
	}
	for _, b := range nodes {
		eventually(t, "a node says that the broker is back", b.Err)
	}
	t.Logf("%d records, %d kills", total, *instants)
}

// cable is what a node has its connections through.
type cable struct {
	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool
}

func (c *cable) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		conn.Close()
		return nil, errors.New("the cable is cut")
	}
	c.conns[conn] = true
	return conn, nil
}

func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	for conn := range c.conns {
		conn.Close()
	}
	clear(c.conns)
}

// away is a node behind a cable, and one that is not.
func away(t *testing.T, addr string, o kafka.BrokerOptions) (c *cable, near, far *kafka.Broker) {
	near = openBroker(t, o)
	c = &cable{conns: make(map[net.Conn]bool)}
	o.Client = []kgo.Opt{kgo.Dialer(c.dial)}
	return c, near, openBroker(t, o)
}

// A node that was cut off reads what it missed, each once, before what comes.
func TestCutOffNodeCatchesUp(t *testing.T) {
	t.Parallel()
	addr := fake(t)
	c, near, far := away(t, addr, brokerOptions(addr))
	w := watching(t, far, "a", "b")
	publish(t, near, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	c.set(true)
	publish(t, near, "a", 3, 300)
	publish(t, near, "b", 0, 3)
	c.set(false)
	publish(t, near, "b", 3, 6)
	w.has(t, "a", numbers(0, 300))
	w.has(t, "b", numbers(0, 6))
}

func deleteRecords(t *testing.T, o kafka.BrokerOptions, before int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	offsets := make(kadm.Offsets)
	offsets.Add(kadm.Offset{Topic: o.Topic, At: before})
	gone, err := kadm.NewClient(client).DeleteRecords(soon(t), offsets)
	if err == nil {
		err = gone.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What the history does not keep any more is told, to each topic of the partition; what comes later
// comes.
func TestGapIsTold(t *testing.T) {
	t.Parallel()
	gapIsTold(t, broker(t).Addr())
}

func TestFakeGapIsTold(t *testing.T) {
	t.Parallel()
	gapIsTold(t, fake(t))
}

func gapIsTold(t *testing.T, addr string) {
	o := brokerOptions(addr)
	o.Partitions = 1
	c, near, far := away(t, addr, o)
	w := watching(t, far, "a", "b")
	at := w.follow(t, "a")
	publish(t, near, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	c.set(true)
	publish(t, near, "a", 3, 10)
	deleteRecords(t, o, 8)
	if _, err := near.Since(soon(t), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("Since returned %v", err)
	}
	c.set(false)
	w.has(t, "b", "gap")
	publish(t, near, "a", 10, 13)
	w.has(t, "a", numbers(0, 3)+" gap "+numbers(8, 13))
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	if recs, err := near.Since(soon(t), last); err != nil || len(recs) > 0 {
		t.Errorf("Since returned %v, %v", recs, err)
	}
}

// A topic that was deleted and made anew is another one: that is told, and nothing is published to it
// by who does not know.
func TestNewTopicIsTold(t *testing.T) {
	t.Parallel()
	o := brokerOptions(fake(t))
	b := openBroker(t, o)
	w := watching(t, b, "a")
	publish(t, b, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	at := w.follow(t, "a")
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).DeleteTopic(soon(t), o.Topic); err != nil {
		t.Fatal(err)
	}
	other := openBroker(t, o)
	w.has(t, "a", numbers(0, 3)+" gap")
	if err := b.Publish(soon(t), number("a", 3)); err == nil || b.Err() == nil {
		t.Errorf("Publish returned %v, Err %v", err, b.Err())
	}
	if _, err := other.Since(soon(t), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("Since returned %v", err)
	}
}

// A leader that changes loses nothing; a place of an epoch behind its end is told to be a gap, also
// when there is something else by now.
func TestSinceOfAnotherLeader(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	o := brokerOptions(cluster.ListenAddrs()[0])
	o.Partitions = 1
	b := openBroker(t, o)
	w := watching(t, b, "a")
	zero := w.follow(t, "a")
	publish(t, b, "a", 0, 5)
	w.has(t, "a", numbers(0, 5))
	old := w.follow(t, "a")
	if err := cluster.MoveTopicPartition(o.Topic, 0, 1-cluster.LeaderFor(o.Topic, 0)); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "a", 5, 10)
	w.has(t, "a", numbers(0, 10))
	now := w.follow(t, "a")
	if old.Epoch != now.Epoch || now.Offset-old.Offset < 1<<40 {
		t.Fatalf("%+v, then %+v: no other leader's epoch", old, now)
	}
	for offset, want := range map[uint64]int{zero.Offset: 10, old.Offset - 1: 6, old.Offset: 5, now.Offset - 1: 1, now.Offset: 0} {
		from := gateway.Position{Epoch: now.Epoch, Offset: offset}
		if recs, err := b.Since(soon(t), from); err != nil || len(recs) != want {
			t.Errorf("from %x: %d records, %v, want %d", offset, len(recs), err, want)
		}
	}
	for _, offset := range []uint64{old.Offset + 1, old.Offset + 3, now.Offset + 1, now.Offset + 1<<44} {
		from := gateway.Position{Epoch: now.Epoch, Offset: offset}
		if recs, err := b.Since(soon(t), from); !errors.Is(err, gateway.ErrGap) {
			t.Errorf("from %x: %d records, %v, want ErrGap", offset, len(recs), err)
		}
	}
}

// A partition that nobody follows any more is not read, and is again when somebody does; the others do
// not notice.
func TestChurn(t *testing.T) {
	t.Parallel()
	o := brokerOptions(fake(t))
	o.Partitions = 4
	b, far := openBroker(t, o), openBroker(t, o)
	steady := watching(t, b, "steady")
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	sent := 0
	load.Go(func() {
		for ; ctx.Err() == nil; sent++ {
			if err := far.Publish(soon(t), number("steady", sent)); err != nil {
				t.Error(err)
			}
		}
	})
	for n := range 10 {
		w := watching(t, b)
		for _, topic := range []string{"b", "c", "d", "e"} {
			w.follow(t, topic)
			publish(t, far, topic, n, n+1)
		}
		for _, topic := range []string{"b", "c", "d", "e"} {
			w.has(t, topic, fmt.Sprint(n))
		}
		w.Close(t.Context())
		b.Tidy()
	}
	stop()
	load.Wait()
	steady.has(t, "steady", numbers(0, sent))
	steady.Close(t.Context())
	b.Tidy()
	if n := b.Reading(); n != 0 {
		t.Errorf("%d partitions are read", n)
	}
}
