package gatewaytest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// port is what one gateway of a schedule has of the broker and the store. When
// the gateway is killed nothing goes through any more, either way.
type port struct {
	*shaky
	killed atomic.Bool
}

var errKilled = errors.New("this node was killed")

// alive is err, or errKilled: a call that returns after the kill never did.
func (p *port) alive(err error) error {
	if p.killed.Load() {
		return errKilled
	}
	return err
}

func (p *port) Publish(ctx context.Context, rec gateway.Record) error {
	if p.killed.Load() {
		return errKilled
	}
	return p.alive(p.shaky.Publish(ctx, rec))
}

func (p *port) Since(ctx context.Context, from gateway.Position) ([]gateway.Record, error) {
	recs, err := p.shaky.Since(ctx, from)
	return recs, p.alive(err)
}

func (p *port) Open(ctx context.Context, deliver func(gateway.Record)) (gateway.Feed, error) {
	f, err := p.shaky.Open(ctx, func(rec gateway.Record) {
		if !p.killed.Load() {
			deliver(rec)
		}
	})
	return f, p.alive(err)
}

func (p *port) Save(ctx context.Context, node string, recs ...gateway.StoredSession) error {
	if p.killed.Load() {
		return errKilled
	}
	return p.alive(p.shaky.Save(ctx, node, recs...))
}

func (p *port) Take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	if p.killed.Load() {
		return gateway.StoredSession{}, errKilled
	}
	rec, err := p.shaky.Take(ctx, node, id)
	return rec, p.alive(err)
}

func (p *port) Delete(ctx context.Context, node string, ids ...string) error {
	if p.killed.Load() {
		return errKilled
	}
	return p.alive(p.shaky.Delete(ctx, node, ids...))
}

func (p *port) Renew(ctx context.Context, node string, lease time.Duration) error {
	if p.killed.Load() {
		return errKilled
	}
	return p.alive(p.shaky.Renew(ctx, node, lease))
}

// mortal is a session that dies with its gateway: what was asked of it when it
// died was never answered.
type mortal struct {
	*gateway.Session
	port *port
}

func (m mortal) Subscribe(ctx context.Context, topics ...string) error {
	return m.port.alive(m.Session.Subscribe(ctx, topics...))
}

func (m mortal) Unsubscribe(ctx context.Context, topics ...string) error {
	return m.port.alive(m.Session.Unsubscribe(ctx, topics...))
}

func (m mortal) UnsubscribePurge(ctx context.Context, topics ...string) error {
	return m.port.alive(m.Session.UnsubscribePurge(ctx, topics...))
}

// kill ends the gateway as kill -9 does, and has another one take its place.
func (s *schedule) kill() {
	s.mu.Lock()
	busy := s.drains > 0 || s.gateways > 4
	old := s.port
	s.mu.Unlock()
	if busy {
		return
	}
	s.did.kills++
	s.logf("kill gateway %d", s.gateways)
	old.killed.Store(true)
	for _, l := range s.network.Links() {
		l.Kill()
	}
	s.mu.Lock()
	clear(s.sessions)
	s.mu.Unlock()
	s.newGateway()
}
