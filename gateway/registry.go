package gateway

import (
	"context"
	"errors"
	"iter"

	"github.com/gatehouse-go/gatehouse/pool"
)

// Kinds of labels in the registries.
const (
	labelAddr = "addr"
	labelUser = "user"
)

func (g *Gateway) openRegistries() {
	g.byConn = pool.New[uint64, *conn](pool.Options{
		Max:    g.limits.Connections,
		Limits: map[string]int{labelAddr: g.limits.ConnectionsPerAddress},
	})
	g.bySession = pool.New[string, *Session](pool.Options{Max: -1, IdleAfter: -1})
}

// forget undoes admit.
func (g *Gateway) forget(c *conn) {
	g.byConn.Remove(c.id)
	g.conns.leave()
}

// newSession makes a session, places it and registers it.
func (g *Gateway) newSession(user User, id Identify) (*Session, error) {
	s := g.makeSession(newSessionID(), user, id)
	if err := g.enter(s); err != nil {
		return nil, err
	}
	g.stats.sessions.Add(1)
	return s, nil
}

// makeSession makes a session that nobody knows of.
func (g *Gateway) makeSession(id string, user User, who Identify) *Session {
	return &Session{
		gw: g, lane: g.nextLane(), id: id, user: user, identity: who.kept(), intents: who.Intents, ring: newRing(), presence: who.Presence,
	}
}

// nextLane is the lane of a new session, for its whole life here. Sessions that
// begin together are neighbours in a lane: what the kernel and the heap keep of
// them lies close together as a rule, and to walk it in that order made a fan-out
// to 10,000 a tenth cheaper than lanes by hash.
func (g *Gateway) nextLane() *lane {
	return g.lanes[(g.begun.Add(1)-1)/sliceSessions%uint64(len(g.lanes))]
}

// enter places a session and registers it. After an error the session is over.
func (g *Gateway) enter(s *Session) (err error) {
	defer func() {
		if err != nil {
			s.end(false)
		}
	}()
	if s.placement, err = g.shards.Assign(s.id); err != nil {
		return err
	}
	if err := g.bySession.Add(s.id, s, pool.Label{Kind: labelUser, Value: s.user.ID}); err != nil {
		s.placement.Release()
		return err
	}
	return nil
}

// find returns a session of this gateway, or nil.
func (g *Gateway) find(id string) *Session {
	s, _ := g.bySession.Get(id)
	return s
}

// disconnected is called once for every connection that was upgraded, on its
// reader, when it has ended.
func (g *Gateway) disconnected(c *conn, s *Session, cause *CloseError) {
	if s != nil {
		g.part(s, c, cause)
	}
	g.stats.closed(cause.Code)
	if hook := g.opts.OnDisconnect; hook != nil {
		g.guard(func() { hook(*c.info, s, cause) }, nil)
	}
	g.forget(c)
}

// sessionsOf iterates over a user's sessions in this process.
func (g *Gateway) sessionsOf(user string) iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		for _, s := range g.bySession.With(pool.Label{Kind: labelUser, Value: user}) {
			if !yield(s) {
				return
			}
		}
	}
}

// SubscribeUser subscribes every session that a user has. When it returned, those
// in this process see what is published from then on; those on other nodes that
// share Options.Broker and Options.Sessions, and those that nobody has, follow.
// Sessions that begin later are the Ready hook's.
func (g *Gateway) SubscribeUser(ctx context.Context, user string, topics ...string) error {
	return errors.Join(
		g.eachSession(user, func(s *Session) error { return s.Subscribe(ctx, topics...) }),
		g.tell(ctx, user, orderSubscribe, order{Topics: topics}),
	)
}

// UnsubscribeUser likewise ends subscriptions of every session that a user has,
// and drops what is queued of them and was not sent yet.
func (g *Gateway) UnsubscribeUser(ctx context.Context, user string, topics ...string) error {
	return errors.Join(
		g.eachSession(user, func(s *Session) error { return s.UnsubscribePurge(ctx, topics...) }),
		g.tell(ctx, user, orderUnsubscribe, order{Topics: topics}),
	)
}

// KickUser likewise ends every session that a user has: 4102 for clients with
// ext=1, 4004 for others, neither of which comes back. Whether the user may sign
// in again is up to Authenticate.
func (g *Gateway) KickUser(ctx context.Context, user, reason string) error {
	return errors.Join(
		g.eachSession(user, func(s *Session) error {
			s.kick(reason)
			return ctx.Err()
		}),
		g.tell(ctx, user, orderKick, order{Reason: reason}),
	)
}

// eachSession calls fn for a user's sessions. One that ended meanwhile is no error.
func (g *Gateway) eachSession(user string, fn func(*Session) error) (err error) {
	for s := range g.sessionsOf(user) {
		if e := fn(s); !errors.Is(e, ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}
