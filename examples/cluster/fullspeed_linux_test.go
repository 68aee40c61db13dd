package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

var fullSpeed = flag.Int("full-speed", 0, "how many clients TestFullSpeed has at one node, and at three; 0: it is skipped")

const (
	speedRounds = 4    // each: one node, three, three, one
	small       = 12   // clients in the small room
	atOnce      = 2000 // events that are published until everybody has them
	publishers  = 64
)

// One node and three serve the same clients at full speed, in turns. On a machine that has no more processors than one
// node takes three are not faster: what is said is what they take of the processors, and their broker.
func TestFullSpeed(t *testing.T) {
	if *fullSpeed == 0 {
		t.Skip("a measurement: -full-speed says of how many clients")
	}
	one, three := newTrack(t, 1), newTrack(t, 3)
	for _, room := range []struct {
		name   string
		events int
		topic  func(i int) string
	}{
		{"six rooms, each with half of the clients", 2000, room},
		{fmt.Sprintf("a room of %d", small), 20_000, func(int) string { return "small" }},
	} {
		var sums [2]lap
		for range speedRounds {
			for i, tr := range []*track{one, three, three, one} {
				which := (i + 1) / 2 % 2 // 0 1 1 0
				sums[which].add(tr.run(t, room.events, room.topic))
			}
		}
		for i, sum := range sums {
			t.Logf("%s, %d nodes: %v", room.name, []int{1, 3}[i], sum)
		}
		t.Logf("%s, three nodes beside one: nodes take %.2f times, the broker %.2f times", room.name,
			sums[1].nodes.Seconds()/sums[0].nodes.Seconds(), sums[1].broker.Seconds()/sums[0].broker.Seconds())
	}
}

// track is a cluster with its readers.
type track struct {
	*world
	readers []*reader
	members map[string]int64 // readers, by room
	got     atomic.Int64     // events, of all of them
	want    int64
}

// newTrack opens a cluster of so many nodes, over which its readers are spread.
func newTrack(t *testing.T, nodes int) *track {
	tr := &track{world: openWorld(t, options{nodes: nodes, lease: 10 * time.Second, drainRate: 1000}), members: make(map[string]int64)}
	var counting sync.WaitGroup
	t.Cleanup(func() {
		for _, r := range tr.readers {
			r.conn.Close()
		}
		counting.Wait()
	})
	for i := range small + *fullSpeed {
		name := alone + "small"
		if i >= small {
			name = fmt.Sprintf("client-%d", i)
		}
		r, err := dialReader(tr.nodes[i%nodes].addr, name, &tr.got)
		if err != nil {
			t.Fatal(err)
		}
		tr.readers = append(tr.readers, r)
		for _, in := range roomsOf(name) {
			tr.members[in]++
		}
		counting.Go(r.count)
	}
	return tr
}

// run publishes so many events as fast as that goes, and returns when all readers have them.
func (tr *track) run(t *testing.T, events int, topic func(i int) string) lap {
	t.Helper()
	for _, r := range tr.readers {
		r.beat()
	}
	l, began := lap{events: int64(events)}, time.Now()
	nodes, broker, others := tr.taken(t)
	for from := 0; from < events; from += atOnce {
		l.deliveries += tr.publishAll(t, from, min(from+atOnce, events), topic)
	}
	l.took = time.Since(began)
	l.nodes, l.broker, l.others = tr.taken(t)
	l.nodes, l.broker, l.others = l.nodes-nodes, l.broker-broker, l.others-others
	return l
}

// publishAll publishes events, waits until everybody has them, and returns how often they were delivered.
func (tr *track) publishAll(t *testing.T, from, to int, topic func(i int) string) (deliveries int64) {
	t.Helper()
	var next atomic.Int64
	next.Store(int64(from))
	errs := make(chan error, publishers)
	var all sync.WaitGroup
	for range publishers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
				err := tr.publisher.Publish(t.Context(), topic(i), gateway.Event{Type: "MESSAGE", Data: message{topic(i), uint64(i + 1)}})
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		t.Fatal(err)
	default:
	}
	for i := from; i < to; i++ {
		deliveries += tr.members[topic(i)]
	}
	tr.want += deliveries
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); tr.got.Load() < tr.want; <-ticker.C {
		if time.Since(began) > patience() {
			t.Fatalf("%d of %d events came within %v", tr.got.Load(), tr.want, patience())
		}
	}
	if got := tr.got.Load(); got != tr.want {
		t.Fatalf("%d events came, want %d", got, tr.want)
	}
	return deliveries
}

// taken is what the processes have taken of the processors.
func (tr *track) taken(t *testing.T) (nodes, broker, others time.Duration) {
	t.Helper()
	for _, n := range tr.nodes {
		nodes += takenBy(t, n.process.cmd.Process.Pid)
	}
	return nodes, takenBy(t, tr.cluster.broker.cmd.Process.Pid), takenBy(t, os.Getpid())
}

// takenBy is what a process has: of the system and for itself.
func takenBy(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // from the third on
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100)
}

// lap is what a run took.
type lap struct {
	events, deliveries          int64
	took, nodes, broker, others time.Duration // of the processors, but for took
}

func (l *lap) add(m lap) {
	l.events += m.events
	l.deliveries += m.deliveries
	l.took += m.took
	l.nodes += m.nodes
	l.broker += m.broker
	l.others += m.others
}

func (l lap) String() string {
	million := float64(l.deliveries) / 1e6
	return fmt.Sprintf("%d events, %d deliveries, %.0f a second; processor seconds per million deliveries: nodes %.2f, broker %.2f, publisher and readers %.2f; per million events: nodes %.1f, broker %.1f",
		l.events, l.deliveries, float64(l.deliveries)/l.took.Seconds(),
		l.nodes.Seconds()/million, l.broker.Seconds()/million, l.others.Seconds()/million,
		l.nodes.Seconds()/float64(l.events)*1e6, l.broker.Seconds()/float64(l.events)*1e6)
}
