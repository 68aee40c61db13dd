package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/shard"
)

// roleNode is the process that is a node.
const roleNode = "node"

const reportEvery = 250 * time.Millisecond

// report is what a node says of itself every quarter of a second.
type report struct {
	Sessions  int    `json:"sessions"`
	Delivered uint64 `json:"delivered"`
	Resumed   uint64 `json:"resumed"`
	Lost      uint64 `json:"lost"` // sessions that another node took meanwhile
	Gaps      uint64 `json:"gaps"`
	Away      bool   `json:"away"` // the gateway is degraded: the broker, or who keeps sessions, cannot be reached
}

// runNode is a server with a gateway, until SIGTERM drains it.
func runNode(args []string) error {
	flags := flag.NewFlagSet(roleNode, flag.ExitOnError)
	name := flags.String("name", "", "for the log")
	server := flags.String("server", "", "the URL of the broker")
	public := flags.String("url", "", "of the gateway, as clients know it")
	lease := flags.Duration("lease", 0, "for how long it lives when it says nothing")
	rate := flags.Int("drain-rate", 0, "sessions a second that it lets go of")
	balancer := flags.String("balancer", "", "what divides users between the nodes, if anything does")
	drainWithin := flags.Duration("drain-within", 0, "for how long it drains")
	flags.Parse(args)
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})).With("node", *name)

	orphan := orphaned()
	opening, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	at, err := url.Parse(*server)
	if err != nil {
		return err
	}
	parts, err := openParts(opening, at, logger)
	if err != nil {
		return fmt.Errorf("node %s: %w", *name, err)
	}
	defer parts.close()
	o := gateway.Options{
		Authenticate: authenticate,
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, s.Subscribe(ctx, roomsOf(s.User().ID)...)
		},
		Broker:   parts.broker,
		Sessions: parts.sessions,
		URL:      *public,
		Limits:   gateway.Limits{Lease: *lease, DrainRate: *rate, ConnectionsPerAddress: -1}, // all come from this machine
		Logger:   logger,
	}
	if *balancer != "" {
		o.ResumeURL = func(s *gateway.Session) string { return resumeURL(*public, s.User().ID) }
	}
	gw, err := gateway.New(o)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	here := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(headerNode, *name) // nginx does not
		gw.ServeHTTP(w, r)
	})
	mux := http.NewServeMux()
	mux.Handle("/gateway", here)
	mux.Handle("/gateway/", here) // where libraries ask for the URL
	mux.HandleFunc("/healthz", gw.ServeHealth)
	web := http.Server{Handler: mux}
	go web.Serve(ln)
	defer web.Close()
	leave := func(context.Context) error { return nil } // whoever sends clients here
	if *balancer != "" {
		self := shard.Member{ID: *name, Addr: ln.Addr().String()}
		place, err := takePlace(opening, at, self, *lease, gw, logger)
		if err != nil {
			return fmt.Errorf("node %s: %w", *name, err)
		}
		defer place.closes()
		leave = place.leave
	}
	say(listening{Addr: ln.Addr().String()})

	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	draining := make(chan error, 1)
	reports := time.NewTicker(reportEvery)
	defer reports.Stop()
	for {
		select {
		case <-reports.C:
			st := gw.Stats()
			say(report{st.Sessions, st.Delivered, st.SessionsResumed, st.SessionsLost, st.Gaps, len(gw.Degraded()) > 0})
		case <-asked:
			go func() {
				left := leave(context.Background())
				ctx, cancel := context.WithTimeout(context.Background(), *drainWithin)
				defer cancel()
				draining <- errors.Join(left, gw.Shutdown(ctx))
			}()
		case err := <-draining:
			return err
		case <-orphan:
			return nil
		}
	}
}

// authenticate believes everybody: a name is the token.
func authenticate(_ context.Context, id gateway.Identify) (gateway.User, error) {
	if !strings.HasPrefix(id.Token, "client-") {
		return gateway.User{}, gateway.ErrUnauthorized
	}
	return gateway.User{ID: id.Token}, nil
}
