package gateway_test

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// A gateway is replaced while its clients are there: the session is saved, the
// successor takes it up, and the client is sent what it missed.
func ExampleGateway_HandTo() {
	ctx := context.Background()
	options := gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, s.Subscribe(ctx, "news")
		},
		Broker:   gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}),
		Sessions: gateway.NewMemorySessions(),
	}
	start := func() *gateway.Gateway {
		gw, err := gateway.New(options)
		if err != nil {
			log.Fatal(err)
		}
		return gw
	}
	var current atomic.Pointer[gateway.Gateway]
	current.Store(start())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		current.Load().ServeHTTP(w, r)
	}))
	defer srv.Close()

	type message struct {
		Op, S int
		T     string
		D     json.RawMessage
	}
	dial := func() *websocket.Conn {
		ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http")+"/gateway", nil)
		if err != nil {
			log.Fatal(err)
		}
		return ws
	}
	next := func(ws *websocket.Conn) (m message) {
		for m.T == "" && m.Op != 7 {
			m = message{}
			if err := wsjson.Read(ctx, ws, &m); err != nil {
				log.Fatal(err)
			}
		}
		return m
	}

	ws := dial()
	wsjson.Write(ctx, ws, map[string]any{"op": 2, "d": map[string]any{"token": "ann"}})
	ready := next(ws)
	var session struct {
		ID string `json:"session_id"`
	}
	if err := json.Unmarshal(ready.D, &session); err != nil {
		log.Fatal(err)
	}

	old, fresh := current.Load(), start()
	defer fresh.Shutdown(ctx)
	current.Store(fresh)
	old.HandTo(fresh)
	done := make(chan error)
	go func() { done <- old.Shutdown(ctx) }()
	fmt.Println("op", next(ws).Op) // Reconnect
	ws.CloseNow()
	if err := <-done; err != nil {
		log.Fatal(err)
	}
	fresh.Publish(ctx, "news", gateway.Event{Type: "NEWS", Data: "while nobody was there"})

	ws = dial()
	defer ws.CloseNow()
	wsjson.Write(ctx, ws, map[string]any{"op": 6, "d": map[string]any{"token": "ann", "session_id": session.ID, "seq": ready.S}})
	for m := next(ws); ; m = next(ws) {
		fmt.Println(m.T, m.S, string(m.D))
		if m.T == "RESUMED" {
			break
		}
	}
	// Output:
	// op 7
	// NEWS 2 "while nobody was there"
	// RESUMED 2 {}
}

// What a gateway does is a plain struct, and a variable of package expvar.
func ExampleGateway_Expvar() {
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(context.Context, gateway.Identify) (gateway.User, error) {
			return gateway.User{}, gateway.ErrUnauthorized
		},
		OnAlert: func(a gateway.Alert) { log.Println(a.Name, a.Firing, a.Value) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Shutdown(context.Background())
	expvar.Publish("gatehouse", gw.Expvar()) // at /debug/vars
	fmt.Println(gw.Stats().Connections, gw.Stats().ConnectSuccess, gw.Health())
	// Output: 0 1 <nil>
}
