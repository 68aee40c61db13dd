package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// What is asked of all sessions of a user is published to a topic of the user's,
// which each of them is subscribed to: so it reaches those on other nodes, in its
// order, and those that nobody has when they are taken up again.

// topicsOfUsers begins those topics.
const topicsOfUsers = "gatehouse:user:"

// ownTopics begins all topics that are the library's own.
const ownTopics = "gatehouse:"

// order is what is asked of a user's sessions, as a record's data. Its type says what.
type order struct {
	Node   string   `json:"node"` // who asked: its own sessions have heard already
	Topics []string `json:"topics,omitempty"`
	Reason string   `json:"reason,omitempty"`
}

// Types of orders.
const (
	orderSubscribe   = "SUBSCRIBE"
	orderUnsubscribe = "UNSUBSCRIBE"
	orderKick        = "KICK"
)

var errOwnTopic = errors.New(`gateway: topics that begin with "` + ownTopics + `" are the library's own`)

// checkTopics refuses topics that are the library's own.
func checkTopics(names ...string) error {
	if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, ownTopics) }) {
		return errOwnTopic
	}
	return nil
}

// tell asks something of a user's sessions that other nodes have, or nobody.
func (g *Gateway) tell(ctx context.Context, user, what string, o order) error {
	if g.copies == nil {
		return nil // there are none
	}
	o.Node = g.lease.node
	data, err := json.Marshal(o)
	if err == nil {
		err = g.publish(ctx, Record{Topic: topicsOfUsers + user, Type: what, Data: data})
	}
	if err != nil {
		return fmt.Errorf("gateway: tell other nodes: %w", err)
	}
	return nil
}

// hear subscribes a session to what is asked of its user's.
func (s *Session) hear(ctx context.Context) error {
	if s.gw.copies == nil {
		return nil
	}
	_, err := s.join(ctx, topicsOfUsers+s.user.ID, false)
	return err
}

// obey does what is asked of the user's sessions, or ends the session when events
// of it were lost, or what is asked is not understood: a newer version asks for something,
// and a ban would be one that is not there. It returns the connection that is to be told then, if there is
// one. mu is held.
func (s *Session) obey(p *published) *conn {
	if p.Gap {
		return s.doom(&CloseError{Code: CloseTimedOut, Reason: "events were lost"})
	}
	var o order
	err := json.Unmarshal(p.Data, &o)
	switch {
	case err != nil:
		return s.doom(&CloseError{Code: CloseTimedOut, Reason: "an order is not understood"})
	case o.Node == s.gw.lease.node:
		return nil
	}
	switch p.Type {
	case orderKick:
		return s.doom(&CloseError{Code: CloseKicked, Reason: o.Reason})
	case orderSubscribe, orderUnsubscribe:
		tr := s.inTransit()
		tr.orders = append(tr.orders, storedOrder{p.Type, o.Topics})
		s.gw.chore(s, s.carryOut)
	default:
		return s.doom(&CloseError{Code: CloseTimedOut, Reason: "an order is not understood"})
	}
	return nil
}

// storedOrder is an order that was heard and is still to be carried out. It goes
// with the session wherever that goes.
type storedOrder struct {
	What   string   `json:"what"`
	Topics []string `json:"topics"`
}

// carryOut does what the session has heard, in order, as long as it is not on its
// way to another gateway. It is a chore of the session.
func (s *Session) carryOut() {
	for {
		s.mu.Lock()
		if s.transit == nil || len(s.transit.orders) == 0 || s.phase != phaseOpen {
			s.mu.Unlock()
			return
		}
		o := s.transit.orders[0]
		s.mu.Unlock()
		var err error
		if o.What == orderSubscribe {
			err = s.subscribe(s.context(), o.Topics)
		} else {
			err = s.leaveAll(s.context(), true, o.Topics)
		}
		if errors.Is(err, ErrClosed) {
			return // it goes along
		}
		if err != nil {
			s.gw.log.Warn("topics of a user were not changed as another node asked", "user", s.user.ID, "error", err)
		}
		s.mu.Lock()
		s.transit.orders = s.transit.orders[1:]
		s.mu.Unlock()
		s.gw.copies.change(s)
	}
}
