package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

const paces = 50 // messages

// What each hop takes: to the gateway and back, until the queue has it, until somebody hears it,
// until somebody else was sent it. And what the same takes in one process.
func TestPace(t *testing.T) {
	t.Run("services", func(t *testing.T) {
		w := newWorld(t, options{})
		w.join(t, "carol").leave()
		w.becomes(t, "carol", "offline")
		pace(t, w.url, func(i int) {
			for len(w.inbox(t, "carol")) <= i { // each look is a hop, too
			}
		})
	})
	t.Run("one process", func(t *testing.T) {
		pace(t, oneProcess(t), func(int) {})
	})
}

// oneProcess is the chat without services.
func oneProcess(t *testing.T) (url string) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "messages.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) { return nil, s.Subscribe(ctx, channelTopic) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gw.Shutdown(context.Background()) })
	p, err := message.New(message.Options{Store: store, Deliver: message.To(gw, func(m message.Message) (string, gateway.Event) {
		return channelTopic, gateway.Event{Type: "MESSAGE_CREATE", Data: m}
	})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	gateway.Handle(gw, "SEND", (&speaking{p}).send)
	front := httptest.NewServer(gw)
	t.Cleanup(front.Close)
	return front.URL
}

// pace has somebody say one thing after another, and logs how long it takes. end waits until all is
// done with one.
func pace(t *testing.T, url string, end func(i int)) {
	t.Helper()
	both := make([]*client, 2)
	for i := range both {
		var err error
		if both[i], err = join(t.Context(), url, fmt.Sprint("person-", i)); err != nil {
			t.Fatal(err)
		}
		defer both[i].ws.CloseNow()
	}
	var beats, taken, heard, ended []time.Duration
	for i := range paces {
		began := time.Now()
		if err := both[0].beat(t.Context()); err != nil {
			t.Fatal(err)
		}
		beats = append(beats, time.Since(began))
		content := fmt.Sprint("pace ", i)
		began = time.Now()
		if err := both[0].say(t.Context(), content); err != nil {
			t.Fatal(err)
		}
		taken = append(taken, time.Since(began))
		end(i)
		ended = append(ended, time.Since(began))
		eventually(t, "it is heard", func() bool { return !both[1].hears(content).IsZero() })
		heard = append(heard, both[1].hears(content).Sub(began))
	}
	for _, hop := range []struct {
		what string
		took []time.Duration
	}{{"a heartbeat is back", beats}, {"it is acknowledged", taken}, {"it is heard", heard}, {"it is in the inbox", ended}} {
		slices.Sort(hop.took)
		t.Logf("%-20s after %v, 99 of 100 after %v", hop.what, hop.took[paces/2].Round(10*time.Microsecond), hop.took[paces*99/100].Round(10*time.Microsecond))
	}
}
