package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-go/gatehouse/codec"
)

// Identify is what a client signs in with.
type Identify struct {
	Token          string         // only while Authenticate runs
	Resume         bool           // the client resumes a session: of the other fields only Token and Conn are set
	Properties     map[string]any // what the client says of itself; nil if it is no object
	Intents        Intent
	Shard          *[2]int         // Discord's [id, n]; nil if it was not given
	Presence       *PresenceUpdate // nil if it was not given
	LargeThreshold int
	Conn           ConnInfo

	properties json.RawMessage // as they came; nil if they are no object
	conn       *ConnInfo       // what Conn is a copy of; nil: not on a connection of this gateway
}

// User is who signed in.
type User struct {
	// ID is what sessions of one user have in common. It must not be empty.
	ID string
	// Data is what READY tells the client of itself, as "user"; nil means {"id": ID}.
	Data any
}

// signIn handles Identify and Resume.
func (c *conn) signIn(env envelope) {
	c.mu.Lock()
	fresh := c.stage == stageHello
	if fresh {
		c.stage = stageIdentifying
	}
	c.mu.Unlock()
	if !fresh {
		c.close(CloseAlreadyAuthenticated, "")
		return
	}
	if c.gw.draining.Load() {
		c.close(CloseRestart, "")
		return
	}
	if env.op == opResume {
		c.resume(env.data)
		return
	}
	id, err := decodeIdentify(env.data)
	if err != nil {
		c.closeFor(err)
		return
	}
	id.Conn, id.conn = *c.info, c.info
	if !c.gw.mayIdentify() {
		c.invalidSession("busy")
		return
	}
	c.signInBy(c.gw.identifies, func() { c.invalidSession("busy") }, func(ctx context.Context) { c.identify(ctx, id) })
}

// decodeIdentify reads op 2 leniently, as real libraries need it.
func decodeIdentify(data json.RawMessage) (Identify, error) {
	bad := &CloseError{Code: CloseUnknownOpcode, Reason: "identify: bad payload"}
	var in struct {
		Token          string          `json:"token"`
		Properties     json.RawMessage `json:"properties"`
		Intents        *number         `json:"intents"`
		Shard          []number        `json:"shard"`
		Presence       json.RawMessage `json:"presence"`
		LargeThreshold json.RawMessage `json:"large_threshold"`
	}
	if len(data) == 0 || data[0] != '{' || json.Unmarshal(data, &in) != nil {
		return Identify{}, bad
	}
	id := Identify{Token: cutScheme(in.Token)}
	if json.Unmarshal(orNull(in.Properties), &id.Properties) == nil && id.Properties != nil {
		id.properties = in.Properties // else, whatever it is, it is no reason to refuse
	}
	if in.Intents != nil {
		bits, ok := in.Intents.integer()
		if !ok || bits > maxIntents {
			return Identify{}, &CloseError{Code: CloseInvalidIntents}
		}
		id.Intents = Intent(bits)
	}
	if in.Shard != nil {
		pair, ok := shardPair(in.Shard)
		if !ok {
			return Identify{}, &CloseError{Code: CloseInvalidShard}
		}
		id.Shard = &pair
	}
	var threshold number
	if json.Unmarshal(orNull(in.LargeThreshold), &threshold) == nil {
		n, _ := threshold.integer()
		id.LargeThreshold = int(n)
	}
	id.Presence = decodePresence(in.Presence)
	return id, nil
}

// cutScheme takes a leading "Bot " or "Bearer " from a token.
func cutScheme(token string) string {
	for _, scheme := range []string{"Bot ", "Bearer "} {
		if rest, ok := strings.CutPrefix(token, scheme); ok {
			return rest
		}
	}
	return token
}

// shardPair checks Discord's [id, n]: id counts from 0 and is below n.
func shardPair(in []number) (pair [2]int, ok bool) {
	if len(in) != 2 {
		return pair, false
	}
	for i, v := range in {
		n, whole := v.integer()
		if !whole || n > 1<<20 {
			return pair, false
		}
		pair[i] = int(n)
	}
	return pair, pair[0] < pair[1]
}

// identify asks the application who this is, makes the session and sends
// READY. It runs on a goroutine of the identify runner.
func (c *conn) identify(ctx context.Context, id Identify) {
	user, err := c.gw.authenticate(ctx, id)
	if err != nil {
		c.closeFor(err)
		return
	}
	if err := c.gw.mayBegin(ctx, user.ID); err != nil {
		c.closeFor(err)
		return
	}
	id.Token = ""
	s, err := c.gw.newSession(user, id)
	if err != nil {
		c.closeFor(err)
		return
	}
	started := false
	defer func() { // also when the application panics
		if !started {
			c.gw.endSession(s)
		}
	}()
	if err := c.start(ctx, s); err != nil {
		c.closeFor(err)
		return
	}
	started = true
	if hook := c.gw.opts.OnSession; hook != nil {
		// The first of the session's calls: it holds up nobody else's sign-in.
		c.enqueue(s, opIdentify, func() { hook(s) })
	}
}

func (g *Gateway) authenticate(ctx context.Context, id Identify) (User, error) {
	if allowed := g.opts.Intents; allowed != 0 && id.Intents&^allowed != 0 {
		return User{}, &CloseError{Code: CloseDisallowedIntents}
	}
	user, err := g.opts.Authenticate(ctx, id)
	if err != nil {
		return User{}, fmt.Errorf("authenticate: %w", err)
	}
	if user.ID == "" {
		return User{}, errors.New("authenticate: returned a User without ID")
	}
	return user, nil
}

// closeFor closes with the code that an error stands for.
func (c *conn) closeFor(err error) {
	var ce *CloseError
	switch {
	case errors.As(err, &ce):
		c.close(ce.Code, ce.Reason)
	case errors.Is(err, ErrUnauthorized):
		c.close(CloseAuthFailed, "")
	case c.isGone() || errors.Is(err, ErrClosed): // the client has gone: its context ended the call
	default:
		c.gw.log.Error("sign-in failed", "addr", c.info.Addr, "error", err)
		c.close(CloseUnknown, "sign-in failed, try again later")
	}
}

// start runs the application's Ready hook and sends READY: sequence 1, in
// front of everything that was queued meanwhile.
func (c *conn) start(ctx context.Context, s *Session) error {
	if err := s.hear(ctx); err != nil {
		return fmt.Errorf("ready: %w", err)
	}
	var extra any
	if hook := c.gw.opts.Ready; hook != nil {
		var err error
		if extra, err = hook(ctx, s); err != nil {
			return fmt.Errorf("ready: %w", err)
		}
	}
	data, err := s.readyData(c, extra)
	if err != nil {
		return fmt.Errorf("ready: %w", err)
	}
	c.gw.appear(ctx, s)
	c.gw.copies.begin(ctx, s)
	if err := s.attach(c, appendEnvelope(nil, c.form, opDispatch, data, "READY", firstSequence-1)); err != nil {
		return err
	}
	c.flushNow()
	return nil
}

// readyData is READY's d: the standard fields, and the application's over them.
func (s *Session) readyData(c *conn, extra any) ([]byte, error) {
	user := s.user.Data
	if user == nil {
		user = map[string]string{"id": s.user.ID}
	}
	fields := map[string]any{
		"v":                  c.info.Version,
		"user":               user,
		"guilds":             []any{},
		"session_id":         s.id,
		"resume_gateway_url": s.resumeURL(c),
		"private_channels":   []any{},
		"application":        map[string]any{"id": s.user.ID, "flags": s.intents.applicationFlags()},
	}
	if s.identity.shard != nil {
		fields["shard"] = s.identity.shard
	}
	if extra != nil {
		own, err := codec.AppendJSON(nil, extra)
		if err != nil {
			return nil, err
		}
		var over map[string]json.RawMessage
		if err := json.Unmarshal(own, &over); err != nil {
			return nil, fmt.Errorf("what Ready returned is not an object: %w", err)
		}
		for name, value := range over {
			fields[name] = value
		}
	}
	return codec.AppendJSON(nil, fields)
}
