package nats_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
)

var quiet = slog.New(slog.DiscardHandler)

// The server is killed under load and started again: every node is given every record once, in its order, and
// each publish that was asked for again is in the history once.
func TestBrokerSurvivesKills(t *testing.T) {
	t.Parallel()
	const topics = 4
	s := newProcess(t)
	o := nats.BrokerOptions{Logger: quiet, HistoryBytes: 64 << 20}
	var names []string
	for i := range topics {
		names = append(names, fmt.Sprint("topic:", i))
	}
	var nodes []*nats.Broker
	var watches []*watch
	for range 3 {
		b := openBroker(t, connect(t, s.Addr()), "kills", o)
		nodes, watches = append(nodes, b), append(watches, watching(t, b, names...))
	}
	from, err := watches[0].Follow(t.Context(), names[0])
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var load sync.WaitGroup
	sent := make([]int, topics)
	for i, name := range names {
		load.Go(func() {
			for ctx.Err() == nil {
				publish(t, nodes[i%len(nodes)], name, sent[i], sent[i]+1)
				sent[i]++
			}
		})
	}
	for range 3 {
		rest(ctx, 700*time.Millisecond)
		s.Kill()
		eventually(t, "nodes that say that the broker is away", func() error {
			for _, b := range nodes {
				if b.Err() == nil {
					return errors.New("one does not")
				}
			}
			return nil
		})
		s.Start()
	}
	rest(ctx, 500*time.Millisecond)
	stop()
	load.Wait()
	total := 0
	for i, name := range names {
		for _, w := range watches {
			w.has(t, name, numbers(0, sent[i]))
		}
		total += sent[i]
	}
	recs, err := nodes[1].Since(t.Context(), from)
	n := 0
	for _, rec := range recs {
		if rec.Topic == names[0] {
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
		eventually(t, "a node that says that the broker is back", b.Err)
	}
	t.Logf("%d records, three kills", total)
}

// away is a node behind a proxy, and one that is not.
func away(t *testing.T, o nats.BrokerOptions) (p *proxy, near, far *nats.Broker) {
	addr := embedded(t)
	p = newProxy(t, addr)
	o.Logger = quiet
	near = openBroker(t, connect(t, addr), "away", o)
	far = openBroker(t, connect(t, p.Addr(), natsgo.Timeout(200*time.Millisecond)), "away", o)
	return p, near, far
}

// A node that was cut off reads what it missed, each once, before what comes.
func TestCutOffNodeCatchesUp(t *testing.T) {
	t.Parallel()
	p, near, far := away(t, nats.BrokerOptions{HistoryBytes: 16 << 20})
	w := watching(t, far, "a", "b")
	publish(t, near, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	p.Hold(true)
	p.Cut()
	publish(t, near, "a", 3, 2000) // more than is read at a time
	publish(t, near, "c", 0, 3)
	publish(t, near, "b", 0, 3)
	p.Hold(false)
	publish(t, near, "b", 3, 6)
	w.has(t, "a", numbers(0, 2000))
	w.has(t, "b", numbers(0, 6))
	w.has(t, "c", "")
}

// What the history does not keep any more is told, to each topic; what comes later comes.
func TestGapIsTold(t *testing.T) {
	t.Parallel()
	p, near, far := away(t, nats.BrokerOptions{HistoryBytes: 32 << 10})
	w := watching(t, far, "a", "b")
	at, err := w.Follow(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	p.Hold(true)
	p.Cut()
	publish(t, near, "a", 0, 1000)
	p.Hold(false)
	w.has(t, "b", "gap")
	publish(t, near, "a", 1000, 1003)
	w.has(t, "a", "gap "+numbers(1000, 1003))
	if _, err := near.Since(t.Context(), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("Since returned %v", err)
	}
}

// A connection on which nothing moves loses nothing, and holds up nobody beyond ctx.
func TestStalledNode(t *testing.T) {
	t.Parallel()
	p, near, far := away(t, nats.BrokerOptions{HistoryBytes: 16 << 20})
	w := watching(t, far, "a")
	p.Hold(true)
	publish(t, near, "a", 0, 500)
	for what, f := range map[string]func(ctx context.Context) error{
		"Publish": func(ctx context.Context) error { return far.Publish(ctx, gateway.Record{Topic: "x", Type: "N"}) },
		"Since":   func(ctx context.Context) error { _, err := far.Since(ctx, gateway.Position{Epoch: 1}); return err },
		"Follow":  func(ctx context.Context) error { _, err := w.Follow(ctx, "y"); return err },
		"again":   func(ctx context.Context) error { _, err := w.Follow(ctx, "a"); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		err := f(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("%s returned %v after %v", what, err, time.Since(began))
		}
	}
	eventually(t, "the node says it", func() error {
		if far.Err() == nil {
			return errors.New("it does not")
		}
		return nil
	})
	p.Hold(false)
	w.has(t, "a", numbers(0, 500))
	eventually(t, "the node says that it is over", far.Err)
}

// A stream that has lost its end gives places to others that some had: who has seen them is told, positions in
// it are a gap, and what is published later comes.
func TestLostEndIsTold(t *testing.T) {
	t.Parallel()
	s := newProcess(t)
	o := nats.BrokerOptions{Logger: quiet, HistoryBytes: 16 << 20}
	b := openBroker(t, connect(t, s.Addr()), "end", o)
	w := watching(t, b, "a")
	publish(t, b, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	s.Kill()
	older := t.TempDir()
	if err := os.CopyFS(older+"/data", os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	s.Start()
	publish(t, b, "a", 3, 6)
	w.has(t, "a", numbers(0, 6))
	w.mu.Lock()
	at := w.last
	w.mu.Unlock()
	s.Kill()
	s.dir = older + "/data"
	s.Start()
	w.has(t, "a", numbers(0, 6)+" gap")
	if _, err := b.Since(t.Context(), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("Since returned %v", err)
	}
	publish(t, b, "a", 6, 9)
	w.has(t, "a", numbers(0, 6)+" gap "+numbers(6, 9))
}

// A stream that somebody has deleted, and somebody made anew, is another one.
func TestNewStreamIsTold(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	o := nats.BrokerOptions{Logger: quiet, HistoryBytes: 16 << 20}
	b := openBroker(t, js, "anew", o)
	w := watching(t, b, "a")
	publish(t, b, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	if err := js.DeleteStream(t.Context(), "gatehouse-broker-anew"); err != nil {
		t.Fatal(err)
	}
	other := openBroker(t, js, "anew", o)
	w.has(t, "a", numbers(0, 3)+" gap")
	publish(t, other, "a", 3, 9)
	w.has(t, "a", numbers(0, 3)+" gap "+numbers(3, 9))
}

// An event is one message to each node that has followers of its topic, and none to the others.
func TestMessagesOfAnEvent(t *testing.T) {
	t.Parallel()
	addr := embedded(t)
	o := nats.BrokerOptions{HistoryBytes: 16 << 20}
	from := openBroker(t, connect(t, addr), "count", o)
	const events = 2000
	var conns []jetstream.JetStream
	var watches []*watch
	for i := range 3 {
		js := connect(t, addr)
		b := openBroker(t, js, "count", o)
		conns = append(conns, js)
		if i < 2 { // two gateways of a process
			watches = append(watches, watching(t, b, "a"), watching(t, b, "a"))
		}
	}
	var before []uint64
	for _, js := range conns {
		before = append(before, js.Conn().Stats().InMsgs)
	}
	publish(t, from, "a", 0, events)
	for _, w := range watches {
		w.has(t, "a", numbers(0, events))
	}
	for i, js := range conns {
		n := js.Conn().Stats().InMsgs - before[i]
		want := uint64(events)
		if i == 2 {
			want = 0
		}
		if n < want || n > want+events/10 { // some are ticks
			t.Errorf("node %d got %d messages for %d events", i, n, events)
		}
	}
}

// Of a cluster another server leads the stream now and then: what it does not send is read.
func TestLeaderChanges(t *testing.T) {
	t.Parallel()
	addrs := clustered(t)
	o := nats.BrokerOptions{Replicas: 3, Logger: quiet, HistoryBytes: 64 << 20}
	js := connect(t, addrs)
	from := openBroker(t, js, "leader", o)
	w := watching(t, openBroker(t, connect(t, addrs), "leader", o), "a", "b")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var load sync.WaitGroup
	var sent [2]int
	for i, name := range []string{"a", "b"} {
		load.Go(func() {
			for ctx.Err() == nil {
				publish(t, from, name, sent[i], sent[i]+1)
				sent[i]++
			}
		})
	}
	for range 4 {
		rest(ctx, 400*time.Millisecond)
		eventually(t, "another leader", func() error {
			_, err := js.Conn().Request("$JS.API.STREAM.LEADER.STEPDOWN.gatehouse-broker-leader", nil, 5*time.Second)
			return err
		})
	}
	stop()
	load.Wait()
	w.has(t, "a", numbers(0, sent[0]))
	w.has(t, "b", numbers(0, sent[1]))
	t.Log(sent, "records")
}

// What the server does not take is refused, and says why.
func TestBrokerRefuses(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	b := openBroker(t, js, "refuses", nats.BrokerOptions{Partitions: 4, HistoryBytes: 16 << 20})
	large := gateway.Record{Topic: "a", Type: "N", Data: make([]byte, 1<<20)}
	if err := b.Publish(t.Context(), large); !errors.Is(err, nats.ErrTooLarge) {
		t.Errorf("Publish returned %v", err)
	}
	if err := b.Publish(t.Context(), gateway.Record{Topic: string(make([]byte, 1001)), Type: "N"}); !errors.Is(err, nats.ErrTopic) {
		t.Errorf("Publish returned %v", err)
	}
	for name, want := range map[string]error{"a.b": nats.ErrName, "refuses": nats.ErrPartitions, "foreign": nats.ErrStream} {
		if _, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "gatehouse-broker-foreign"}); err != nil {
			t.Fatal(err)
		}
		if _, err := nats.NewPublisher(t.Context(), js, name, nats.BrokerOptions{Partitions: 8}); !errors.Is(err, want) {
			t.Errorf("NewPublisher of %q returned %v", name, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Publish(t.Context(), gateway.Record{Topic: "a", Type: "N"}); !errors.Is(err, gateway.ErrClosed) {
		t.Errorf("Publish returned %v", err)
	}
}

// What was lost between servers is read when the next event of its topic comes.
func TestLostEventIsRead(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	b := openBroker(t, js, "lost", nats.BrokerOptions{Logger: quiet, HistoryBytes: 16 << 20})
	w := watching(t, b, "a", "b")
	publish(t, b, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	if err := b.Deaf("a", true); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "a", 3, 1203)
	publish(t, b, "b", 0, 3)
	w.has(t, "b", numbers(0, 3))
	if err := b.Deaf("a", false); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "a", 1203, 1206)
	w.has(t, "a", numbers(0, 1206))
}

// A message that is missing in the middle of what a node missed is told.
func TestHoleIsTold(t *testing.T) {
	t.Parallel()
	p, near, far := away(t, nats.BrokerOptions{HistoryBytes: 16 << 20})
	js := connect(t, p.to)
	w := watching(t, far, "a")
	p.Hold(true)
	p.Cut()
	seen := watching(t, near, "a")
	publish(t, near, "a", 0, 3)
	seen.has(t, "a", numbers(0, 3))
	stream, err := js.Stream(t.Context(), "gatehouse-broker-away")
	if err == nil {
		err = stream.DeleteMsg(t.Context(), seen.last.Offset)
	}
	if err != nil {
		t.Fatal(err)
	}
	publish(t, near, "a", 3, 6)
	p.Hold(false)
	eventually(t, "the gap", func() error {
		if got := w.of("a"); !strings.HasSuffix(got, "gap") {
			return errors.New(got)
		}
		return nil
	})
	publish(t, near, "a", 6, 9)
	w.has(t, "a", numbers(0, 2)+" gap "+numbers(6, 9))
}

// A publish whose answer is late is asked for again, and published once.
func TestPublishedOnce(t *testing.T) {
	t.Parallel()
	p, near, far := away(t, nats.BrokerOptions{HistoryBytes: 16 << 20})
	w := watching(t, near, "a")
	p.Hold(true)
	before := far.Sent()
	const size = 100 << 10
	first := strings.Repeat("0", size)
	done := make(chan error)
	go func() {
		done <- far.Publish(context.Background(), gateway.Record{Topic: "a", Type: "N", Data: []byte(first)})
	}()
	eventually(t, "a second request", func() error {
		if n := far.Sent() - before; n < 2*size {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	p.Hold(false)
	if err := <-done; err != nil {
		t.Error(err)
	}
	publish(t, near, "a", 1, 3)
	w.has(t, "a", first+" "+numbers(1, 3))
}

// Following again says how far the node is, also of a topic of which nothing comes, and so does not
// grow old.
func TestFollowAgainIsFresh(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	b := openBroker(t, js, "again", nats.BrokerOptions{Logger: quiet, Partitions: 1, HistoryBytes: 16 << 20})
	w := watching(t, b, "quiet", "a")
	publish(t, b, "a", 0, 100)
	w.has(t, "a", numbers(0, 100))
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	eventually(t, "a place behind what came", func() error {
		at, err := w.Follow(t.Context(), "quiet")
		if err == nil && (at.Epoch != last.Epoch || at.Partition != last.Partition || at.Offset < last.Offset) {
			err = fmt.Errorf("%+v, and %+v has come", at, last)
		}
		return err
	})
}
