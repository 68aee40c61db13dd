package message_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/shard"
)

// A gateway whose clients talk in channels: what one says is stored, then all are told, then that
// one has its answer.
func Example() {
	ctx := context.Background()
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) { return nil, s.Subscribe(ctx, "channel:7") },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Shutdown(ctx)
	p, err := message.New(message.Options{
		Store: message.NewMemoryStore(), // or one of adapters/…, or your own
		Deliver: message.To(gw, func(m message.Message) (string, gateway.Event) {
			return "channel:" + m.Channel, gateway.Event{Type: "MESSAGE_CREATE", Data: m, ID: m.ID.String(), Intent: gateway.IntentGuildMessages}
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	type say struct{ Channel, Content, Nonce string }
	gateway.Handle(gw, "SEND_MESSAGE", func(ctx context.Context, s *gateway.Session, in say) (message.ID, error) {
		m, err := p.Send(ctx, message.Message{Channel: in.Channel, Author: s.User().ID, Content: in.Content, Nonce: in.Nonce})
		if refusal := (*message.Refusal)(nil); errors.As(err, &refusal) {
			err = &gateway.CommandError{Code: refusal.Code, Message: refusal.Message, RetryAfter: int(refusal.RetryAfter.Milliseconds())}
		}
		return m.ID, err
	})

	srv := httptest.NewServer(gw)
	defer srv.Close()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http")+"/gateway?ext=1", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ws.CloseNow()
	wsjson.Write(ctx, ws, map[string]any{"op": 2, "d": map[string]any{"token": "ann", "intents": gateway.IntentGuildMessages}})
	var told, answer string
	for told == "" || answer == "" {
		var f struct {
			Op int
			T  string
			D  json.RawMessage
		}
		if err := wsjson.Read(ctx, ws, &f); err != nil {
			log.Fatal(err)
		}
		switch {
		case f.T == "READY":
			wsjson.Write(ctx, ws, map[string]any{"op": 100, "d": map[string]any{"t": "SEND_MESSAGE", "d": say{"7", "hello", "1"}, "n": 1}})
		case f.T == "MESSAGE_CREATE":
			var m message.Message
			json.Unmarshal(f.D, &m)
			told = fmt.Sprintf("%s says %q", m.Author, m.Content)
		case f.Op == 101:
			answer = string(f.D)
		}
	}
	fmt.Println(told)
	fmt.Println(strings.Contains(answer, "error"))
	// Output:
	// ann says "hello"
	// false
}

// The gateway's limiter, or any other gateway.Limiter, says how often somebody may speak: here five
// times in five seconds.
func ExampleOptions_limit() {
	limiter, rate := gateway.NewMemoryLimiter(), gateway.Rate{Burst: 5, Per: 5 * time.Second}
	p, err := message.New(message.Options{
		Store: message.NewMemoryStore(),
		Limit: func(ctx context.Context, m message.Message) (time.Duration, error) {
			return limiter.Take(ctx, "message:"+m.Author, rate, 1)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(context.Background())
	for range 6 {
		_, err := p.Send(context.Background(), message.Message{Channel: "7", Author: "ann", Content: "hello"})
		if refusal := (*message.Refusal)(nil); errors.As(err, &refusal) {
			fmt.Println(refusal.Code, refusal.RetryAfter.Round(time.Second))
		}
	}
	// Output: RATE_LIMITED 1s
}

// A ring of nodes says which of them gives the ids of a channel. Whoever changes the ring counts its
// changes: what a node remembers of a channel is good for one number.
func ExampleOptions_owner() {
	type placement struct {
		ring  *shard.Ring
		epoch uint64
	}
	ring, err := shard.NewRing(shard.Node{ID: "a"}, shard.Node{ID: "b"})
	if err != nil {
		log.Fatal(err)
	}
	var now atomic.Pointer[placement]
	now.Store(&placement{ring, 1})

	const self = "a"
	p, err := message.New(message.Options{
		Store: message.NewMemoryStore(), // which b has, too
		IDs:   message.NewIDs(1),        // b has 2
		Owner: func(channel string) message.Ownership {
			at := now.Load()
			node := at.ring.Owner(channel)
			return message.Ownership{Node: node, Here: node == self, Epoch: at.epoch}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(context.Background())
	send := func(channel string) {
		_, err := p.Send(context.Background(), message.Message{Channel: channel, Content: "hello"})
		if elsewhere := (*message.NotOwnerError)(nil); errors.As(err, &elsewhere) {
			fmt.Println("ask", elsewhere.Owner, "for channel", elsewhere.Channel)
			return
		}
		fmt.Println("stored in channel", channel)
	}
	send("3")
	send("7")
	without, err := ring.Without("b") // it is gone
	if err != nil {
		log.Fatal(err)
	}
	now.Store(&placement{without, 2})
	send("3")
	send("7")
	// Output:
	// stored in channel 3
	// ask b for channel 7
	// stored in channel 3
	// stored in channel 7
}
