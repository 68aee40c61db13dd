package interop

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// patience is how long a test waits for what must happen. Nothing waits for it to pass.
const patience = 10 * time.Second

const (
	token     = "interop"
	userID    = "100000000000000001"
	guildID   = "200000000000000002"
	channelID = "300000000000000003"
	topic     = "guild:" + guildID
)

// server is a gateway with one guild, which every user who signs in is a member of.
type server struct {
	gw   *gateway.Gateway
	base string // what a client takes for the address of Discord's HTTP API; ends with a slash

	sessions    chan *gateway.Session    // who signed in
	disconnects chan *gateway.CloseError // why a connection ended
}

// start runs a gateway until the test is over. A second between heartbeats is the shortest that a busy
// machine keeps: one that is half an interval late ends the connection.
func start(t *testing.T, limits gateway.Limits) *server {
	t.Helper()
	srv := &server{sessions: make(chan *gateway.Session, 16), disconnects: make(chan *gateway.CloseError, 16)}
	gw, err := gateway.New(gateway.Options{
		Authenticate: authenticate,
		Ready:        srv.ready,
		OnDisconnect: func(_ gateway.ConnInfo, _ *gateway.Session, reason *gateway.CloseError) { srv.disconnects <- reason },
		Limits:       limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.gw = gw
	mux := http.NewServeMux()
	mux.Handle("/gateway", gw)
	mux.Handle("/gateway/", gw)
	web := httptest.NewServer(mux)
	srv.base = web.URL + "/gateway/"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := gw.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		web.Close()
	})
	return srv
}

func authenticate(_ context.Context, id gateway.Identify) (gateway.User, error) {
	if id.Token != token {
		return gateway.User{}, gateway.ErrUnauthorized
	}
	return gateway.User{ID: userID, Data: map[string]any{"id": userID, "username": "ann", "discriminator": "0", "bot": true}}, nil
}

// ready subscribes the session to its guild and says which it is, as Discord does: unavailable in
// READY, and whole in a GUILD_CREATE that follows it.
func (srv *server) ready(ctx context.Context, s *gateway.Session) (any, error) {
	if err := s.Subscribe(ctx, topic); err != nil {
		return nil, err
	}
	err := s.Send(ctx, gateway.Event{Type: "GUILD_CREATE", Intent: gateway.IntentGuilds, Data: map[string]any{
		"id":       guildID,
		"name":     "Harbour",
		"channels": []any{map[string]any{"id": channelID, "guild_id": guildID, "name": "general", "type": 0, "position": 0}},
		"members":  []any{},
		"roles":    []any{},
	}})
	srv.sessions <- s
	return map[string]any{"guilds": []any{map[string]any{"id": guildID, "unavailable": true}}}, err
}

// publish sends an event to everybody in the guild.
func (srv *server) publish(t *testing.T, name string, intent gateway.Intent, data any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := srv.gw.Publish(ctx, topic, gateway.Event{Type: name, Intent: intent, Data: data}); err != nil {
		t.Fatalf("publish %s: %v", name, err)
	}
}

// message is the data of a MESSAGE_CREATE in the guild's channel.
func message(id, content string) map[string]any {
	return map[string]any{
		"id": id, "channel_id": channelID, "guild_id": guildID, "content": content,
		"author":    map[string]any{"id": "100000000000000009", "username": "ben", "discriminator": "0"},
		"timestamp": "2026-11-23T18:00:00.000000+00:00",
	}
}

// receive takes the next value that a handler handed over.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("unreachable")
	}
}

// eventually waits until a condition holds that nobody announces.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}

// wsURL is the gateway's address as clients are told it.
func (srv *server) wsURL() string {
	return "ws" + strings.TrimSuffix(strings.TrimPrefix(srv.base, "http"), "/")
}
