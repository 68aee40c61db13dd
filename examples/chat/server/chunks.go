package server

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Bots ask for members over the gateway as well, with op 8, and wait for the
// chunks that answer it.

// wantMembers is that question: all members, those whose names begin so, or
// those with these ids.
type wantMembers struct {
	Guilds    idOrIDs `json:"guild_id"`
	Users     idOrIDs `json:"user_ids"`
	Query     string  `json:"query"`
	Limit     float64 `json:"limit"`
	Presences bool    `json:"presences"`
	Nonce     string  `json:"nonce"`
}

// idOrIDs is one id or several.
type idOrIDs []id

func (all *idOrIDs) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]id)(all))
	}
	var one *id
	err := json.Unmarshal(data, &one)
	if err == nil && one != nil {
		*all = idOrIDs{*one}
	}
	return err
}

const (
	maxChunk  = 1000 // members in one
	maxWanted = 100  // by name or by id
	maxEcho   = 32   // bytes of a nonce; a longer one does not come back
)

// requestMembers answers a question that makes sense, and no other.
func (s *Server) requestMembers(ctx context.Context, session *gateway.Session, data []byte) error {
	var in wantMembers
	if json.Unmarshal(data, &in) != nil || len(in.Guilds) != 1 || in.Guilds[0] != guildID {
		return nil
	}
	found, missing, err := s.wanted(ctx, in)
	if err != nil {
		return err
	}
	online := map[string]object{}
	if in.Presences && session.Intents()&gateway.IntentGuildPresences != 0 {
		for p := range s.gw.Presence().Online(topic) {
			online[p.User] = presenceObject(topic, p).(object)
		}
	}
	chunks := slices.Collect(slices.Chunk(found, maxChunk))
	if len(chunks) == 0 {
		chunks = [][]user{nil} // nobody is an answer, too
	}
	for i, members := range chunks {
		chunk := object{"guild_id": guildID, "members": memberObjects(members), "chunk_index": i, "chunk_count": len(chunks)}
		if in.Nonce != "" && len(in.Nonce) <= maxEcho {
			chunk["nonce"] = in.Nonce
		}
		if len(missing) > 0 {
			chunk["not_found"] = missing
		}
		if in.Presences {
			here := none
			for _, u := range members {
				if p, ok := online[u.id.String()]; ok {
					here = append(here, p)
				}
			}
			chunk["presences"] = here
		}
		if err := session.Send(ctx, gateway.Event{Type: "GUILD_MEMBERS_CHUNK", Data: chunk}); err != nil {
			return err
		}
	}
	return nil
}

// wanted returns who is asked for, and which ids nobody has.
func (s *Server) wanted(ctx context.Context, in wantMembers) (found []user, missing []id, err error) {
	switch {
	case in.Users != nil:
		ids := in.Users[:min(len(in.Users), maxWanted)]
		found, err = s.guild.withIDs(ctx, ids)
		for _, i := range ids {
			if !slices.ContainsFunc(found, func(u user) bool { return u.id == i }) && !slices.Contains(missing, i) {
				missing = append(missing, i)
			}
		}
	case in.Query == "" && in.Limit <= 0:
		found, err = s.guild.users(ctx)
	default:
		limit := maxWanted
		if in.Limit >= 1 && in.Limit < maxWanted {
			limit = int(in.Limit)
		}
		found, err = s.guild.named(ctx, in.Query, limit)
	}
	return found, missing, err
}
