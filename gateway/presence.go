package gateway

import (
	"context"
	"encoding/json"

	"github.com/gatehouse-go/gatehouse/presence"
)

// PresenceUpdate is what a client says of its user: op 3, or part of Identify.
type PresenceUpdate struct {
	Status     presence.Status
	Activities json.RawMessage // an array; nil if there are none
	Since      int64           // Unix milliseconds since when the client is idle; 0 if it is not
	AFK        bool
}

// decodePresence reads a presence leniently; what makes no sense is nil.
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
	p := &PresenceUpdate{AFK: in.AFK, Status: presence.Online}
	since, _ := in.Since.integer()
	p.Since = int64(since)
	if len(in.Activities) > 0 && in.Activities[0] == '[' {
		p.Activities = in.Activities
	}
	return p
}

func (g *Gateway) openPresence() (err error) {
	g.presence, err = presence.New(g.opts.Presence)
	return err
}

func (g *Gateway) appear(ctx context.Context, s *Session)  {}
func (g *Gateway) disappear(s *Session, cause *CloseError) {}
func (c *conn) presenceUpdate(s *Session, data json.RawMessage) {
	decodePresence(data)
}

// Presence returns who is online.
func (g *Gateway) Presence() *presence.Tracker { return g.presence }
