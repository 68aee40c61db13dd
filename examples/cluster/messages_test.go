package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

const (
	eventsOfRoom = 200 // events, of each room
	perNode      = 5   // clients in a room at a node
)

// NATS sends one message for an event to each node that has subscribers of its topic, however many those
// are, and none to others: it says so itself.
func TestClusterMessages(t *testing.T) {
	w := openWorld(t, options{nodes: 3, lease: 2 * time.Second, drainRate: 100})
	w.eachRoom(t, func(nodes int, name string, publish func()) {
		began, before := time.Now(), w.ask(t)
		publish()
		took, after := time.Since(began), w.ask(t)
		if got := after.of(name) - before.of(name); got != int64(nodes*eventsOfRoom) {
			t.Errorf("%d nodes have subscribers: %d messages for %d events", nodes, got, eventsOfRoom)
		}
		t.Logf("%d nodes have subscribers: %.2f messages an event; in all %.2f to nodes, 1 from the publisher and %.2f to it, in %v",
			nodes, per(after.of(name)-before.of(name)), per(after.sent("node")-before.sent("node")),
			per(after.sent("publisher")-before.sent("publisher")), took.Round(time.Millisecond))
	})
	began, before := time.Now(), w.ask(t)
	eventually(t, "four seconds are over", func() bool { return time.Since(began) > 4*time.Second })
	t.Logf("when nothing is published: %.1f messages a second to nodes",
		float64(w.ask(t).sent("node")-before.sent("node"))/time.Since(began).Seconds())
}

// Redis does the same. It counts bytes: events are so large that these tell how many it has sent.
func TestClusterMessagesRedis(t *testing.T) {
	s := servers.Redis(t)
	w := openWorld(t, options{nodes: 3, lease: 2 * time.Second, drainRate: 100, server: "redis://" + s.Addr()})
	client, err := dialRedis(w.server)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	sent := func() int64 {
		info, err := client.InfoMap(t.Context(), "stats").Result()
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.ParseInt(info["Stats"]["total_net_output_bytes"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	w.eachRoom(t, func(nodes int, _ string, publish func()) {
		before := sent()
		publish()
		got := per(sent()-before) / float64(len(padding))
		t.Logf("%d nodes have subscribers: the server sends an event %.2f times", nodes, got)
		if got < float64(nodes) || got > float64(nodes)+0.5 {
			t.Errorf("%d nodes have subscribers: the server sends an event %.2f times", nodes, got)
		}
	})
}

func per(n int64) float64 { return float64(n) / eventsOfRoom }

// padding makes an event large.
var padding = strings.Repeat("x", 4<<10)

// eachRoom calls do for four rooms, with subscribers on no node, on one, two and three. publish publishes to it and
// returns when everybody has everything.
func (w *world) eachRoom(t *testing.T, do func(nodes int, name string, publish func())) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	t.Cleanup(func() { cancel(); running.Wait() })
	for nodes := range len(w.nodes) + 1 {
		name := fmt.Sprintf("on-%d-nodes", nodes)
		var members []*client
		for _, n := range w.nodes[:nodes] {
			for range perNode {
				c := newClient("ws://"+n.addr+"/gateway", alone+name, false)
				members = append(members, c)
				running.Go(func() { c.run(ctx) })
			}
		}
		everyone(t, "every client has a session", len(members), func(i int) bool {
			members[i].mu.Lock()
			defer members[i].mu.Unlock()
			return members[i].signed > 0
		})
		do(nodes, name, func() {
			for n := range eventsOfRoom {
				data := struct {
					message
					Padding string `json:"padding"`
				}{message{name, uint64(n + 1)}, padding}
				if err := w.publisher.Publish(t.Context(), name, gateway.Event{Type: "MESSAGE", Data: data}); err != nil {
					t.Fatal(err)
				}
			}
			everyone(t, "every client has everything", len(members), func(i int) bool {
				members[i].mu.Lock()
				defer members[i].mu.Unlock()
				return members[i].seen.last[name] == eventsOfRoom
			})
		})
	}
}

// monitored is what a NATS server says of its connections.
type monitored struct {
	Connections []struct {
		Name          string
		OutMsgs       int64 `json:"out_msgs"`
		Subscriptions []struct {
			Subject string
			Msgs    int64
		} `json:"subscriptions_list_detail"`
	}
}

// ask asks it.
func (w *world) ask(t *testing.T) (m monitored) {
	t.Helper()
	resp, err := http.Get("http://" + w.monitor + "/connz?subs=detail")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// of is how many messages were sent to subscribers of a topic.
func (m monitored) of(topic string) (sum int64) {
	for _, c := range m.Connections {
		for _, s := range c.Subscriptions {
			if strings.HasSuffix(s.Subject, "."+topic) {
				sum += s.Msgs
			}
		}
	}
	return sum
}

// sent is how many were sent to those connections.
func (m monitored) sent(name string) (sum int64) {
	for _, c := range m.Connections {
		if c.Name == name {
			sum += c.OutMsgs
		}
	}
	return sum
}
