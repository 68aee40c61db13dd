package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Sessions is a gateway.SessionStore on Redis. A session is one key, which Redis forgets when its time is
// over; the lease of a node is another, on the server's clock. Saving many is one round trip.
//
// It is safe for concurrent use. Make it with [NewSessions]; Close ends it.
type Sessions struct {
	// Static after NewSessions.
	client goredis.UniversalClient
	name   string
	crew   *crew
}

var _ gateway.SessionStore = (*Sessions)(nil)

// NewSessions returns the store that has this name. It asks for a session that nobody has, so that who may not
// is told at once. The client stays the caller's: close it after the Sessions. Only what NewSessions does ends
// with ctx.
func NewSessions(ctx context.Context, client goredis.UniversalClient, name string) (*Sessions, error) {
	if name == "" || strings.ContainsAny(name, "{}") {
		return nil, ErrName
	}
	s := &Sessions{client: client, name: name, crew: newCrew()}
	if err := s.crew.run(ctx, func(ctx context.Context) error { return refuseEviction(ctx, client) }); err != nil {
		s.crew.stop()
		return nil, wrap("open sessions", err)
	}
	if _, err := s.take(ctx, "", "", ""); err != nil { // nobody's session: whether Redis lets us
		s.crew.stop()
		return nil, wrap("open sessions", err)
	}
	return s, nil
}

// Save is of gateway.SessionStore.
func (s *Sessions) Save(ctx context.Context, node string, records ...gateway.StoredSession) error {
	calls := make([]call, len(records))
	for i, rec := range records {
		calls[i] = sessionSaveScript.call(s.session(rec.ID), node, rec.Node, rec.User, rec.Expires.UnixMilli(), rec.Data)
	}
	calls, err := s.crew.do(ctx, s.client, calls...)
	if err != nil {
		return wrap("save sessions", err)
	}
	var taken []string
	for i, c := range calls {
		if c.Val() != int64(1) {
			taken = append(taken, records[i].ID)
		}
	}
	if len(taken) > 0 {
		return &gateway.TakenError{IDs: taken}
	}
	return nil
}

// Take is of gateway.SessionStore: one round trip for what nobody has, and two more for what a dead node
// has. One that lives again meanwhile loses it all the same, and is told when it saves the session.
func (s *Sessions) Take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	for dead := ""; ; {
		had, err := s.take(ctx, node, id, dead)
		switch {
		case err != nil:
			return gateway.StoredSession{}, wrap("take a session", err)
		case len(had) == 0:
			return gateway.StoredSession{}, gateway.ErrNoSession
		case len(had) == 1:
			return gateway.StoredSession{}, wrap("take a session", gateway.ErrVersion)
		case len(had) == 4:
			expires, err := strconv.ParseInt(had[2], 10, 64)
			return gateway.StoredSession{ID: id, Node: had[0], User: had[1], Expires: time.UnixMilli(expires), Data: []byte(had[3])}, wrap("take a session", err)
		case len(had) != 2:
			return gateway.StoredSession{}, fmt.Errorf("redis: take a session: redis answers %q", had)
		}
		lives, err := s.crew.do(ctx, s.client, command("exists", s.lease(had[0])))
		if err != nil {
			return gateway.StoredSession{}, wrap("take a session", err)
		}
		if lives[0].Val() == int64(1) {
			return gateway.StoredSession{}, &gateway.TakenError{Node: had[0], User: had[1], IDs: []string{id}}
		}
		dead = had[0]
	}
}

func (s *Sessions) take(ctx context.Context, node, id, dead string) ([]string, error) {
	calls, err := s.crew.do(ctx, s.client, sessionTakeScript.call(s.session(id), node, dead))
	if err != nil {
		return nil, err
	}
	return calls[0].StringSlice()
}

// Delete is of gateway.SessionStore.
func (s *Sessions) Delete(ctx context.Context, node string, ids ...string) error {
	calls := make([]call, len(ids))
	for i, id := range ids {
		calls[i] = sessionDeleteScript.call(s.session(id), node)
	}
	_, err := s.crew.do(ctx, s.client, calls...)
	return wrap("delete sessions", err)
}

// Renew is of gateway.SessionStore.
func (s *Sessions) Renew(ctx context.Context, node string, lease time.Duration) error {
	c := command("del", s.lease(node))
	if lease > 0 {
		c = command("set", s.lease(node), "", "px", max(1, lease.Milliseconds()))
	}
	_, err := s.crew.do(ctx, s.client, c)
	return wrap("renew the lease of a node", err)
}

func (s *Sessions) session(id string) []string {
	return []string{sessionPrefix + s.name + ":" + id + "}"}
}

func (s *Sessions) lease(node string) string { return nodePrefix + s.name + ":" + node + "}" }

// Close ends the calls that are running. When Redis does not answer, it returns within 2 s, and what waits
// for the client ends with the client's own timeouts.
func (s *Sessions) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return wrap("close sessions", s.crew.close(ctx))
}
