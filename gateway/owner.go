package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// A session that another node has, and whose client has come here, is asked for:
// the node saves it as if it drained. A node that does not answer lives no more,
// soon: the client is sent away until its lease has ended.

// topicsOfNodes begins the topics that nodes talk to each other on.
const topicsOfNodes = "gatehouse:node:"

// typeRelease is the type of a record that asks for a session.
const typeRelease = "RELEASE"

type releaseRequest struct {
	Session string `json:"session"`
	User    string `json:"user"`
}

const (
	// releasedWithin is how long another node has to save a session.
	releasedWithin = 2 * time.Second
	// askStore is how often the store is asked for it meanwhile, at first, and at most.
	askStore      = 5 * time.Millisecond
	askStoreAtEnd = 200 * time.Millisecond
)

// take takes a user's session from the store, from another node if that has it.
func (g *Gateway) take(ctx context.Context, id, user string) (StoredSession, error) {
	if g.copies.hasEnded(id) {
		return StoredSession{}, ErrNoSession
	}
	if err := g.alive(ctx); err != nil {
		return StoredSession{}, err
	}
	var enough time.Time
	for wait := askStore; ; wait = min(2*wait, askStoreAtEnd) {
		rec, err := g.opts.Sessions.Take(ctx, g.lease.node, id)
		var taken *TakenError
		if !errors.As(err, &taken) {
			return rec, err
		}
		switch now := g.now(); {
		case taken.User != user:
			return rec, errForeignSession
		case enough.IsZero():
			enough = now.Add(releasedWithin)
			if err := g.askFor(ctx, taken.Node, id, user); err != nil {
				return rec, err
			}
		case now.After(enough):
			return rec, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return rec, ctx.Err()
		}
	}
}

// askFor asks a node to save a session.
func (g *Gateway) askFor(ctx context.Context, node, id, user string) error {
	data, err := json.Marshal(releaseRequest{id, user})
	if err != nil {
		return err
	}
	return g.opts.Broker.Publish(ctx, Record{Topic: topicsOfNodes + node, Type: typeRelease, Data: data, Class: Volatile})
}

// asked handles a record of this node's own topic.
func (g *Gateway) asked(rec Record) {
	var in releaseRequest
	if rec.Type != typeRelease || json.Unmarshal(rec.Data, &in) != nil {
		return
	}
	g.releases.start(func() {
		ctx, cancel := context.WithTimeout(g.ctx, releasedWithin)
		defer cancel()
		if err := g.release(ctx, in.Session, in.User); err != nil && g.ctx.Err() == nil {
			g.log.Warn("a session that another node asked for was not saved", "error", err)
		}
	})
}

// release has a user's session that is here saved, as if the gateway drained. One
// of another user is left alone; one that is not here is given back.
func (g *Gateway) release(ctx context.Context, id, user string) error {
	s := g.find(id)
	switch {
	case s == nil:
		return g.giveBack(ctx, id)
	case s.user.ID != user:
		return errForeignSession
	}
	if !g.draining.Load() { // else the drain does
		g.topics.advanceLately(ctx)
	}
	g.letGo(ctx, s, nil)
	return nil
}

// giveBack has the store give a session that this node does not have to whoever
// asks: a call of Take that failed may have taken it.
func (g *Gateway) giveBack(ctx context.Context, id string) error {
	switch {
	case g.copies.hasEnded(id):
		return g.copies.forget(ctx, id)
	case g.loads.has(id):
		return nil // it will have it in a moment: who asks asks again
	}
	rec, err := g.opts.Sessions.Take(ctx, g.lease.node, id)
	var taken *TakenError
	if errors.Is(err, ErrNoSession) || errors.As(err, &taken) {
		return nil
	}
	if err == nil {
		rec.Node = ""
		err = g.opts.Sessions.Save(ctx, g.lease.node, rec)
	}
	return err
}

// lose ends a session that another node has by now: this one did not live for a
// while. Its client, if it is here, finds it there.
func (g *Gateway) lose(id string) {
	s := g.find(id)
	if s == nil {
		return
	}
	s.mu.Lock()
	moving, c := s.phase.moving(), s.conn
	s.mu.Unlock()
	if moving {
		return // it is on its way anyhow
	}
	g.stats.lost.Add(1)
	if c != nil {
		c.sayRestart(nil)
	}
	g.retire(s, true)
}
