package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

//go:embed page
var page embed.FS

// server joins the gateway, the store and the page.
type server struct {
	gw    *gateway.Gateway
	file  *sqlite.Store // which has the next three
	store message.Store
	index message.Index
	guild guild

	sending *message.Pipeline
	ids     *message.IDs
	gate    gate // of the HTTP API

	limiter gateway.Limiter

	state    string // file; empty: none
	broker   *gateway.MemoryBroker
	sessions *gateway.MemorySessions // nil without a file
}

// newServer opens the data file and, unless it is empty, the state file.
func newServer(ctx context.Context, data, state string) (*server, error) {
	file, err := sqlite.Open(ctx, data, sqlite.Options{Schema: append(schema, upgrade...)})
	if err != nil {
		return nil, err
	}
	s := &server{file: file, store: file, index: file, guild: guild{file.DB()}, state: state, limiter: gateway.NewMemoryLimiter()}
	last, err := s.last(ctx)
	if err == nil {
		s.broker, s.sessions = takeState(state, last)
		err = errors.Join(s.openGateway(), s.openPipeline())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

func (s *server) openGateway() (err error) {
	o := gateway.Options{
		Authenticate:   s.authenticate,
		Ready:          s.ready,
		Resume:         s.resume,
		RequestMembers: s.requestMembers,
		Broker:         s.broker,
		PresenceData:   presenceObject,
		Limits:         gateway.Limits{MessageSize: maxPayload},
	}
	if s.sessions != nil {
		o.Sessions = s.sessions
	}
	if s.gw, err = gateway.New(o); err == nil {
		s.handleCommands()
	}
	return err
}

// close waits for the requests that are under way, then ends the gateway,
// because http.Server does not know of upgraded connections, stores what is on
// its way, and leaves the sessions to the next server: at most a second after ctx.
func (s *server) close(ctx context.Context) error {
	waiting, enough := context.WithTimeout(ctx, requestsWithin)
	s.gate.close(waiting)
	enough()
	err := s.gw.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // some clients did not say goodbye: they have been cut off
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(err, s.sending.Close(last), s.leaveState(last), s.file.Close())
}

func (s *server) leaveState(ctx context.Context) error {
	if s.state == "" {
		return nil
	}
	last, err := s.last(ctx)
	if err == nil {
		err = writeState(s.state, last, s.broker, s.sessions)
	}
	if err != nil {
		return fmt.Errorf("leave the sessions to the next server: %w", err)
	}
	return nil
}

// last is the newest message of all.
func (s *server) last(ctx context.Context) (last id, err error) {
	channels, err := s.channels(ctx)
	for _, c := range channels {
		last = max(last, c.last)
	}
	return last, err
}

// authenticate lets in whoever says a name. A real server would look up a token.
func (s *server) authenticate(ctx context.Context, in gateway.Identify) (gateway.User, error) {
	u, err := s.signIn(ctx, in.Token, false)
	if errors.Is(err, stranger) {
		err = fmt.Errorf("%w: %w", err, gateway.ErrUnauthorized)
	}
	if err != nil {
		return gateway.User{}, err
	}
	return gateway.User{ID: u.id.String(), Data: selfObject(u)}, nil
}

// signIn returns whose a token is, and tells everybody of who was not here before.
func (s *server) signIn(ctx context.Context, token string, bot bool) (user, error) {
	i, name, ok := userOf(token)
	if !ok {
		return user{}, stranger
	}
	_, numbered := botOf(token)
	u, first, err := s.guild.enter(ctx, i, name, bot || numbered)
	if err != nil || !first {
		return u, err
	}
	member := memberWithUser(u)
	member["guild_id"] = guildID
	return u, s.publish(ctx, "GUILD_MEMBER_ADD", gateway.IntentGuildMembers, member)
}

// ready subscribes a session before it reads what there is, so that nothing
// falls between the two.
func (s *server) ready(ctx context.Context, session *gateway.Session) (any, error) {
	if err := session.Subscribe(ctx, topic, userTopic(userID(session))); err != nil {
		return nil, err
	}
	s.gw.Presence().Join(topic, session.User().ID)
	me, err := s.guild.user(ctx, userID(session))
	if err != nil {
		return nil, err
	}
	channels, err := s.channels(ctx) // once: READY and GUILD_CREATE are of one moment
	if err != nil {
		return nil, err
	}
	states, err := s.readStates(ctx, me, channels)
	if err != nil {
		return nil, err
	}
	created, err := s.guildCreate(ctx, me, channels)
	if err != nil {
		return nil, err
	}
	if err := session.Send(ctx, created); err != nil {
		return nil, err
	}
	return object{"guilds": []any{object{"id": guildID, "unavailable": true}}, "read_state": states}, nil
}

// resume is for a session that another server had: its subscriptions came with it.
func (s *server) resume(_ context.Context, session *gateway.Session) error {
	s.gw.Presence().Join(topic, session.User().ID)
	return nil
}

// userID is the id that authenticate gave the session's user.
func userID(session *gateway.Session) (i id) {
	if err := i.UnmarshalText([]byte(session.User().ID)); err != nil {
		panic("chat: a session's user has no snowflake: " + session.User().ID)
	}
	return i
}

// publishWithin is how long a publish may wait for a fan-out that is behind.
const publishWithin = 5 * time.Second

// publish tells everybody what has been kept, also when the client that asked
// for it is gone by now: ctx lends its values, not its end.
func (s *server) publish(ctx context.Context, kind string, intent gateway.Intent, data any) error {
	return s.publishTo(ctx, topic, gateway.Event{Type: kind, Data: data, Intent: intent})
}

func (s *server) publishTo(ctx context.Context, topic string, ev gateway.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishWithin)
	defer cancel()
	return s.gw.Publish(ctx, topic, ev)
}

// handler serves the page, the gateway, and what clients ask for to find it.
func (s *server) handler() http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", headers(http.FileServerFS(files)))
	mux.HandleFunc("GET /healthz", s.gw.ServeHealth)
	api := s.api()
	return s.gw.Under("/gateway", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/") {
			api.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// policy lets the page load from here alone.
const policy = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache") // the files have no version in their names
		next.ServeHTTP(w, r)
	})
}

// now is what messages are dated with.
func (s *server) now() time.Time { return time.Now().UTC() }
