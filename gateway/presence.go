package gateway

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/gatehouse-go/gatehouse/presence"
)

// PresenceUpdate is what a client says of its user: op 3, or part of Identify.
type PresenceUpdate struct {
	Status     presence.Status
	Activities json.RawMessage // an array; nil if there are none
	Since      int64           // Unix milliseconds since when the client is idle; 0 if it is not
	AFK        bool
}

// decodePresence reads a presence leniently. What makes no sense is nil.
func decodePresence(data json.RawMessage) *PresenceUpdate {
	var in struct {
		Status     string          `json:"status"`
		Activities json.RawMessage `json:"activities"`
		Since      number          `json:"since"`
		AFK        bool            `json:"afk"`
	}
	if len(data) == 0 || data[0] != '{' || json.Unmarshal(data, &in) != nil {
		return nil
	}
	status, err := presence.ParseStatus(in.Status)
	if err != nil {
		return nil
	}
	since, _ := in.Since.integer()
	p := &PresenceUpdate{Status: status, Since: int64(since), AFK: in.AFK}
	if len(in.Activities) > 0 && in.Activities[0] == '[' {
		p.Activities = in.Activities
	}
	return p
}

// Presence returns who is online. The gateway tells it who comes, changes and
// goes; the application says, with Join, in which topics a user's changes are
// told as PRESENCE_UPDATE.
func (g *Gateway) Presence() *presence.Tracker { return g.presence }

func (g *Gateway) openPresence() (err error) {
	o := g.opts.Presence
	also := o.Publish
	o.Publish = func(topic string, changes []presence.Change) {
		for _, c := range changes {
			g.guard(func() { g.publishPresence(topic, c) }, nil)
		}
		if also != nil {
			g.guard(func() { also(topic, changes) }, nil)
		}
	}
	if o.Logger == nil {
		o.Logger = g.log
	}
	if o.Store != nil {
		g.people = &people{Store: o.Store}
		o.Store = g.people
	}
	g.presence, err = presence.New(o)
	return err
}

// publishPresence tells a topic how a user is seen now. A session that is
// behind is sent only the newest of a user.
func (g *Gateway) publishPresence(topic string, c presence.Change) {
	err := g.Publish(g.ctx, topic, Event{
		Type:   "PRESENCE_UPDATE",
		Data:   g.opts.PresenceData(topic, c.Presence),
		Intent: IntentGuildPresences,
		Class:  Conflate,
		Key:    c.User,
	})
	if err != nil && !errors.Is(err, ErrClosed) && g.ctx.Err() == nil {
		g.log.Error("presence was not published", "topic", topic, "user", c.User, "error", err)
	}
}

// PresenceData is the data of PRESENCE_UPDATE unless Options say otherwise:
// {user: {id}, status, activities, client_status}.
func PresenceData(_ string, p presence.Presence) any {
	type user struct {
		ID string `json:"id"`
	}
	d := struct {
		User         user                       `json:"user"`
		Status       presence.Status            `json:"status"`
		Activities   json.RawMessage            `json:"activities"`
		ClientStatus map[string]presence.Status `json:"client_status"`
	}{user{p.User}, p.Status, p.Activities, p.ClientStatus}
	if d.Activities == nil {
		d.Activities = json.RawMessage("[]")
	}
	if d.ClientStatus == nil {
		d.ClientStatus = map[string]presence.Status{}
	}
	return d
}

// appear has the user of a session that begins be online.
func (g *Gateway) appear(ctx context.Context, s *Session) {
	if err := g.presence.Set(ctx, s.device()); err != nil && ctx.Err() == nil {
		g.log.Warn("presence was not taken", "user", s.user.ID, "error", err)
	}
}

// device is the session as the presence tracker knows it.
func (s *Session) device() presence.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := presence.Device{User: s.user.ID, Session: s.id, Platform: s.identity.platform, Status: presence.Online}
	if u := s.presence; u != nil {
		d.Status, d.Activities = u.Status, u.Activities
	}
	return d
}

// tellPresence has the tracker know how a session is by the time it is told:
// there, without a connection (which is silent within the grace period), or
// ended.
func (g *Gateway) tellPresence(s *Session) {
	g.chore(s, func() {
		s.mu.Lock()
		ended := s.phase == phaseGone
		gone, here := ended && !s.saved, s.detached == 0 && !ended
		s.mu.Unlock()
		var err error
		switch {
		case gone:
			err = g.presence.Remove(g.ctx, s.user.ID, s.id)
		case here:
			err = g.presence.Set(g.ctx, s.device())
		default:
			err = g.presence.Leave(g.ctx, s.user.ID, s.id)
		}
		if err != nil && g.ctx.Err() == nil {
			g.log.Warn("presence was not taken", "user", s.user.ID, "error", err)
		}
	})
}

// presenceUpdate handles op 3. A presence that makes no sense changes nothing.
func (c *conn) presenceUpdate(s *Session, data json.RawMessage) {
	update := decodePresence(data)
	if update == nil {
		return
	}
	s.mu.Lock()
	s.presence = update
	s.mu.Unlock()
	c.gw.tellPresence(s)
}
