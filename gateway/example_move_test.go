package gateway_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/shard"
)

// A second node is added: who belongs to it now is told to go there.
func ExampleGateway_Move() {
	ctx := context.Background()
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Sessions: gateway.NewMemorySessions(), // which the nodes share
	})
	if err != nil {
		log.Fatal(err)
	}
	defer gw.Shutdown(ctx)
	srv := httptest.NewServer(gw)
	defer srv.Close()
	for _, user := range []string{"ann", "bob", "cid", "dan"} {
		ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http")+"/gateway", nil)
		if err != nil {
			log.Fatal(err)
		}
		defer ws.CloseNow()
		wsjson.Write(ctx, ws, map[string]any{"op": 2, "d": map[string]any{"token": user}})
		for op := 10; op != 0; { // until READY
			var m struct{ Op int }
			if err := wsjson.Read(ctx, ws, &m); err != nil {
				log.Fatal(err)
			}
			op = m.Op
		}
	}

	ring, _ := shard.NewRing(shard.Node{ID: "a"})
	next, _ := ring.With(shard.Node{ID: "b"})
	plan := shard.NewPlan(ring, next)
	moved, err := gw.Move(ctx, func(s *gateway.Session) (string, bool) {
		from, to := plan.Owner(s.User().ID)
		return "wss://" + to + ".example.org/gateway", from != to
	})
	fmt.Println(moved, "moved,", gw.Stats().Sessions, "stay", err)
	// Output: 3 moved, 1 stay <nil>
}
