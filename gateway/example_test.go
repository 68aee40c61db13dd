package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// A server with one command and one topic, and a client that uses both.
func Example() {
	ctx := context.Background()
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			if id.Token == "" {
				return gateway.User{}, gateway.ErrUnauthorized
			}
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, s.Subscribe(ctx, "lobby")
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Shutdown(ctx)

	type say struct{ Text string }
	gateway.Handle(gw, "SAY", func(ctx context.Context, s *gateway.Session, in say) (string, error) {
		return "said", gw.Publish(ctx, "lobby", gateway.Event{
			Type: "SAID",
			Data: map[string]string{"by": s.User().ID, "text": in.Text},
		})
	})

	srv := httptest.NewServer(gw) // or mux.Handle("/gateway", gw)
	defer srv.Close()

	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http")+"/gateway?ext=1", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ws.CloseNow()
	wsjson.Write(ctx, ws, map[string]any{"op": 2, "d": map[string]any{"token": "ann"}})
	replied, told := false, false
	for !replied || !told {
		var m struct {
			Op int
			T  string
			S  int
			D  json.RawMessage
		}
		if err := wsjson.Read(ctx, ws, &m); err != nil {
			log.Fatal(err)
		}
		switch {
		case m.T == "READY":
			fmt.Println("READY", m.S)
			wsjson.Write(ctx, ws, map[string]any{"op": 100, "d": map[string]any{"t": "SAY", "d": say{"hello"}, "n": 1}})
		case m.T == "SAID":
			fmt.Println("SAID", m.S, string(m.D))
			told = true
		case m.Op == 101:
			replied = true
		}
	}
	// Output:
	// READY 1
	// SAID 2 {"by":"ann","text":"hello"}
}

// A command chooses what its client is told of an error.
func ExampleCommandError() {
	var gw *gateway.Gateway // from gateway.New
	_ = func() {
		gateway.Handle(gw, "DELETE", func(ctx context.Context, s *gateway.Session, id string) (any, error) {
			return nil, &gateway.CommandError{Code: "FORBIDDEN", Message: "that is not yours"}
		})
	}
	data, _ := json.Marshal(&gateway.CommandError{Code: "FORBIDDEN", Message: "that is not yours", RetryAfter: 500})
	fmt.Println(string(data))
	// Output: {"code":"FORBIDDEN","message":"that is not yours","retry_after":500}
}

// A presence is conflated: a session that is behind gets the newest only.
func ExampleEvent() {
	typing := gateway.Event{
		Type:   "TYPING_START",
		Data:   map[string]string{"channel_id": "7", "user_id": "42"},
		Intent: gateway.IntentGuildMessageTyping,
		Class:  gateway.Volatile,
	}
	where := gateway.Event{Type: "CURSOR", Class: gateway.Conflate, Key: "42"}
	fmt.Println(typing.Class, where.Class)
	// Output: volatile conflate
}

func ExampleCode() {
	fmt.Println(gateway.CloseSlowConsumer, gateway.CloseSlowConsumer.Reconnect(), gateway.CloseSlowConsumer.Resume())
	fmt.Println(gateway.CloseAuthFailed, gateway.CloseAuthFailed.Reconnect())
	// Output:
	// slow consumer true true
	// authentication failed false
}
