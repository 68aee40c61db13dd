package servers

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// gatehouse is the whole thing: sessions that are signed in, with sequences,
// rings, intents, heartbeats, presence and metrics. Only the limits of arrivals
// are off, since all arrive at once and from few addresses.
type gatehouse struct {
	gw      *gateway.Gateway
	workers int
}

// unlimited are limits with which everybody may come at once, from few addresses.
var unlimited = gateway.Limits{
	Connections: -1, ConnectionsPerAddress: -1, AcceptRate: -1, IdentifyRate: -1, ResumeRate: -1, UserIdentifies: -1, SignInsWaiting: -1,
	ResumeWindow: 10 * time.Minute,
}

// membersOfGuild is how many sessions share each of four topics of everybody's.
const membersOfGuild = 300

func newGatehouse(o Options, poller bool) (Server, error) {
	var sessions atomic.Int64
	workers := o.Workers
	if workers <= 0 {
		workers = max(1, runtime.GOMAXPROCS(0)-1)
	}
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			topics := []string{"everybody"}
			n := sessions.Add(1)
			for i := 1; i < o.Topics; i++ {
				topics = append(topics, fmt.Sprintf("guild:%d:%d", i, (n*int64(i))/membersOfGuild))
			}
			return nil, s.Subscribe(ctx, topics...)
		},
		Poller:  poller,
		Workers: workers,
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
		Limits:  unlimited,
	})
	if err != nil {
		return nil, err
	}
	return &gatehouse{gw, workers}, nil
}

// Workers is what the gateway was given, so that what is told of it is what it has.
func (g *gatehouse) Workers() int { return g.workers }

func (g *gatehouse) Serve(ln net.Listener) error { return http.Serve(ln, g.gw) }

func (g *gatehouse) Publish(data []byte) {
	g.gw.Publish(context.Background(), "everybody", gateway.Event{Type: "MESSAGE_CREATE", Data: codec.Raw{JSON: data}})
}
