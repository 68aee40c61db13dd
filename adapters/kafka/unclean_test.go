package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// uncleanTopic makes the topic of the options: one partition, on the second broker and the third, which is led by
// whoever of them is there, whatever it lacks.
func uncleanTopic(t *testing.T, o kafka.BrokerOptions) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = o.Topic, -1, -1
	partition := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
	partition.Replicas = []int32{2, 3}
	topic.ReplicaAssignment = append(topic.ReplicaAssignment, partition)
	for name, value := range map[string]string{"unclean.leader.election.enable": "true", "min.insync.replicas": "1"} {
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = name, &value
		topic.Configs = append(topic.Configs, config)
	}
	r := kmsg.NewPtrCreateTopicsRequest()
	r.TimeoutMillis, r.Topics = 30_000, append(r.Topics, topic)
	made, err := r.RequestWith(soon(t), client)
	if err != nil || made.Topics[0].ErrorCode != 0 {
		t.Fatalf("make a topic: %v, %+v", err, made)
	}
}

// talk publishes 0, 1, … to a topic until ctx ends, each once, and one more of which it is sure; it returns which
// were acknowledged.
func talk(ctx context.Context, t *testing.T, b *kafka.Broker, topic string, said *atomic.Int64) (acked []bool) {
	say := func() bool {
		once, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		acked = append(acked, b.Publish(once, number(topic, len(acked))) == nil)
		if acked[len(acked)-1] {
			said.Add(1)
		}
		return acked[len(acked)-1]
	}
	for ctx.Err() == nil {
		say()
		rest(ctx, time.Millisecond)
	}
	for !say() {
		t.Log("the last one is said again")
	}
	return acked
}

// judge counts what of the acknowledged did not come of a topic, and whether that was told: by a gap where it is missing.
func (w *watch) judge(t *testing.T, topic string, acked []bool) (told, untold, gaps int) {
	t.Helper()
	next, gap := 0, false
	for _, text := range strings.Fields(w.of(topic)) {
		n := 0
		if text == "gap" {
			gap = true
			gaps++
			continue
		} else if _, err := fmt.Sscan(text, &n); err != nil || n < next {
			t.Errorf("%s: %s came, and %d was due", topic, text, next)
			continue
		}
		for ; next < n; next++ {
			switch {
			case acked[next] && gap:
				told++
			case acked[next]:
				untold++
			}
		}
		next, gap = n+1, false
	}
	return told, untold, gaps
}

// A leader that lacks what was acknowledged takes over, under load (an unclean election, which the topic allows):
// all nodes are told that something was lost, and what is not lost comes once, in order.
func TestUncleanElection(t *testing.T) {
	t.Parallel()
	c := servers.KafkaCluster(t, 3, "auto.create.topics.enable=false")
	o := brokerOptions(c.Nodes[0].Addr())
	o.Brokers = c.Addrs()
	uncleanTopic(t, o)
	names := []string{"a", "b", "c"}
	var nodes []*kafka.Broker
	var watches []*watch
	for range 2 {
		b := openBroker(t, o)
		nodes, watches = append(nodes, b), append(watches, watching(t, b, names...))
	}
	from := watches[0].follow(t, "a")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var said atomic.Int64
	var talking sync.WaitGroup
	acked := make([][]bool, len(names))
	for i, name := range names {
		talking.Go(func() { acked[i] = talk(ctx, t, nodes[i%2], name, &said) })
	}
	busy := func() {
		t.Helper()
		until := said.Load() + 300
		eventually(t, "publishing", func() error {
			if n := said.Load(); n < until {
				return fmt.Errorf("%d of %d were published; %v", n, until, nodes[0].Err())
			}
			return nil
		})
	}
	second, third := c.Nodes[1], c.Nodes[2]
	busy()
	third.Kill()
	busy() // which only the second one has
	second.Kill()
	third.Start()
	busy() // in its place
	second.Start()
	busy()
	stop()
	talking.Wait()
	for i, name := range names {
		for n, w := range watches {
			last := fmt.Sprint(len(acked[i]) - 1)
			eventually(t, "the last one", func() error {
				if got := w.of(name); !strings.HasSuffix(got, " "+last) {
					return fmt.Errorf("node %d has got %.20q of %s, not %s", n, got[max(0, len(got)-20):], name, last)
				}
				return nil
			})
			told, untold, gaps := w.judge(t, name, acked[i])
			t.Logf("node %d, topic %s: of %d published lost and told %d, lost untold %d, gaps %d", n, name, len(acked[i]), told, untold, gaps)
			if untold > 0 || gaps != 1 {
				t.Errorf("node %d lost %d untold of %s, and was told %d gaps, want 1", n, untold, name, gaps)
			}
		}
	}
	if recs, err := nodes[0].Since(soon(t), from); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("from before what was lost Since returned %d, %v", len(recs), err)
	}
	behind := watches[0].follow(t, "a")
	publish(t, nodes[0], "a", len(acked[0]), len(acked[0])+3)
	if recs, err := nodes[0].Since(soon(t), behind); err != nil || len(recs) != 3 {
		t.Errorf("from behind what was lost Since returned %d, %v", len(recs), err)
	}
}

// A node that was cut off, and is back when other records are where those were that it has missed, is told too.
func TestUncleanElectionWhileCutOff(t *testing.T) {
	t.Parallel()
	c := servers.KafkaCluster(t, 3, "auto.create.topics.enable=false")
	o := brokerOptions(c.Nodes[0].Addr())
	o.Brokers = c.Addrs()
	uncleanTopic(t, o)
	cable, near, far := away(t, "", o)
	w, all := watching(t, far, "a"), watching(t, near, "a")
	publish(t, near, "a", 0, 3)
	w.has(t, "a", numbers(0, 3))
	at := w.follow(t, "a")
	second, third := c.Nodes[1], c.Nodes[2]
	cable.set(true)
	third.Kill()
	publish(t, near, "a", 3, 6) // which only the second one has
	all.has(t, "a", numbers(0, 6))
	second.Kill()
	third.Start()
	eventually(t, "the third one leads", func() error { return near.Publish(soon(t), number("a", 6)) })
	publish(t, near, "a", 7, 9)
	cable.set(false)
	eventually(t, "the gap is told", func() error {
		got := w.of("a")
		if !strings.Contains(got, "gap") || !strings.HasSuffix(got, "8") {
			return fmt.Errorf("got %s", got)
		}
		return nil
	})
	t.Logf("%s; %s", w.of("a"), all.of("a"))
	if recs, err := near.Since(soon(t), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("Since returned %d, %v", len(recs), err)
	}
}
