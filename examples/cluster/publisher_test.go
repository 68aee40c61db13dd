package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// rolePublisher is a process that publishes what it is sent: a service of its own, of whatever build.
const rolePublisher = "publisher"

// posted is an event on its way to a publisher.
type posted struct {
	Topic string          `json:"topic"`
	Type  string          `json:"type"`
	Data  json.RawMessage `json:"data"`
}

// runPublisher publishes at the broker of that URL until who started it ends.
func runPublisher(broker string) {
	orphan := orphaned()
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "publisher:", err)
			os.Exit(1)
		}
	}
	at, err := url.Parse(broker)
	fail(err)
	p, closes, err := openPublisher(context.Background(), at)
	fail(err)
	defer closes()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	go http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in posted
		err := json.NewDecoder(r.Body).Decode(&in)
		if err == nil {
			err = p.Publish(context.WithoutCancel(r.Context()), in.Topic, gateway.Event{Type: in.Type, Data: in.Data})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	say(listening{Addr: ln.Addr().String()})
	<-orphan
}

// service is a publisher that is one of several processes, each of its own build.
type service struct{ addr atomic.Value }

// use has a process of that program publish from now on.
func (s *service) use(t *testing.T, program string, broker *url.URL) {
	t.Helper()
	p, err := spawn(program, rolePublisher, broker.String())
	if err != nil {
		t.Fatal(err)
	}
	var first listening
	if err := p.next(&first); err != nil {
		t.Fatalf("a publisher does not start: %v", err)
	}
	go func() {
		for p.next(new(struct{})) == nil {
		}
	}()
	t.Cleanup(func() {
		p.kill()
		<-p.over
	})
	s.addr.Store(first.Addr)
}

// Publish is of publisher.
func (s *service) Publish(ctx context.Context, topic string, ev gateway.Event) error {
	data, err := json.Marshal(ev.Data)
	if err != nil {
		return err
	}
	body, err := json.Marshal(posted{topic, ev.Type, data})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr.Load().(string), bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the publisher answers %s", resp.Status)
	}
	return nil
}

// Close is of publisher.
func (s *service) Close() error { return nil }
