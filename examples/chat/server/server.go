package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/media"
)

// Server joins the gateway, the stores and the page. Make one with [New]; it is
// safe for concurrent use.
type Server struct {
	opts  Options
	gw    *gateway.Gateway
	file  *sqlite.Store // which has guild, and store and index unless others do
	guild guild
	store message.Store
	index message.Index
	media media.Store // nil: nobody uploads

	sending *message.Pipeline
	ids     *message.IDs
	gate    gate // of the HTTP API
	taking  taking

	limiter gateway.Limiter

	broker   *gateway.MemoryBroker
	sessions *gateway.MemorySessions // nil without a file for them
}

// New opens what the options name. Only what New does ends with ctx.
func New(ctx context.Context, o Options) (*Server, error) {
	o.URL = strings.TrimSuffix(o.URL, "/")
	file, err := sqlite.Open(ctx, o.Data, sqlite.Options{Schema: append(schema, upgrade...)})
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, file: file, guild: guild{file.DB()}, store: o.Store, index: o.Index, limiter: gateway.NewMemoryLimiter()}
	if s.store == nil {
		s.store = file
	}
	if s.index == nil {
		s.index = file
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s.take()
	return s, nil
}

func (s *Server) open(ctx context.Context) error {
	if err := s.openMedia(); err != nil {
		return err
	}
	last, err := s.last(ctx)
	if err != nil {
		return err
	}
	s.broker, s.sessions = takeState(s.opts.State, last)
	return errors.Join(s.openGateway(), s.openPipeline())
}

func (s *Server) openGateway() (err error) {
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

// Close waits for the requests that are under way, then ends the gateway,
// because http.Server does not know of upgraded connections, stores what is on
// its way, and leaves the sessions to the next server: at most a second after ctx.
// What the options brought stays open; close it afterwards.
func (s *Server) Close(ctx context.Context) error {
	waiting, enough := context.WithTimeout(ctx, requestsWithin)
	s.gate.close(waiting)
	enough()
	err := s.gw.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // some clients did not say goodbye: they have been cut off
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	err = errors.Join(err, s.sending.Close(last))
	s.taking.end() // nobody waits for what it takes any more
	return errors.Join(err, s.leaveState(last), s.file.Close())
}

func (s *Server) leaveState(ctx context.Context) error {
	if s.opts.State == "" {
		return nil
	}
	last, err := s.last(ctx)
	if err == nil {
		err = writeState(s.opts.State, last, s.broker, s.sessions)
	}
	if err != nil {
		return fmt.Errorf("leave the sessions to the next server: %w", err)
	}
	return nil
}

// last is the newest message of all.
func (s *Server) last(ctx context.Context) (last id, err error) {
	channels, err := s.channels(ctx)
	for _, c := range channels {
		last = max(last, c.last)
	}
	return last, err
}

// authenticate lets in whoever says a name. A real server would look up a token.
func (s *Server) authenticate(ctx context.Context, in gateway.Identify) (gateway.User, error) {
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
func (s *Server) signIn(ctx context.Context, token string, bot bool) (user, error) {
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
func (s *Server) ready(ctx context.Context, session *gateway.Session) (any, error) {
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
func (s *Server) resume(_ context.Context, session *gateway.Session) error {
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
func (s *Server) publish(ctx context.Context, kind string, intent gateway.Intent, data any) error {
	return s.publishTo(ctx, topic, gateway.Event{Type: kind, Data: data, Intent: intent})
}

func (s *Server) publishTo(ctx context.Context, topic string, ev gateway.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishWithin)
	defer cancel()
	return s.gw.Publish(ctx, topic, ev)
}

// now is what messages are dated with.
func (s *Server) now() time.Time { return time.Now().UTC() }
