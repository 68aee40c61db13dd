package server

import (
	"context"
	"database/sql"
	"errors"
	"regexp"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// page is messages of one channel as a user sees them.
func (s *Server) page(ctx context.Context, me id, messages []message.Message) ([]object, error) {
	objects, err := s.describe(ctx, messages)
	if err != nil {
		return nil, err
	}
	reactions, err := s.guild.reactions(ctx, me, idsOf(messages))
	if err != nil {
		return nil, err
	}
	for i, m := range messages {
		if m.Author == me.String() {
			addNonce(objects[i], m)
		}
		if given := reactions[id(m.ID)]; len(given) > 0 {
			objects[i]["reactions"] = reactionObjects(given)
		}
	}
	return objects, nil
}

// one is a message as everybody sees it.
func (s *Server) one(ctx context.Context, m message.Message) (object, error) {
	objects, err := s.describe(ctx, []message.Message{m})
	if err != nil {
		return nil, err
	}
	return objects[0], nil
}

// describe is what all may know of messages: their authors, whom they mention
// and what they answer.
func (s *Server) describe(ctx context.Context, messages []message.Message) ([]object, error) {
	people := people{s.guild, s.opts.URL + mediaPath, map[id]user{}}
	objects := make([]object, len(messages))
	for i, m := range messages {
		var err error
		if objects[i], err = people.message(ctx, m); err != nil {
			return nil, err
		}
		target := extraOf(m).Reply
		if target == 0 {
			continue
		}
		objects[i]["type"] = typeReply
		objects[i]["message_reference"] = object{"type": 0, "message_id": target, "channel_id": m.Channel, "guild_id": guildID}
		objects[i]["referenced_message"] = nil // it was deleted
		switch answered, err := s.find(ctx, m.Channel, target); {
		case err == nil:
			if objects[i]["referenced_message"], err = people.message(ctx, answered); err != nil {
				return nil, err
			}
		case !errors.Is(err, message.ErrNotFound):
			return nil, err
		}
	}
	return objects, nil
}

const typeReply = 19

// people remembers users while several messages of theirs are described.
type people struct {
	guild guild
	media string // where their files are
	known map[id]user
}

func (p people) user(ctx context.Context, i id) (user, error) {
	if u, ok := p.known[i]; ok {
		return u, nil
	}
	u, err := p.guild.user(ctx, i)
	if err == nil {
		p.known[i] = u
	}
	return u, err
}

// mention is how text names a user.
var mention = regexp.MustCompile(`<@!?(\d{1,19})>`)

func (p people) message(ctx context.Context, m message.Message) (object, error) {
	author, err := p.user(ctx, snowflake(m.Author))
	if err != nil {
		return nil, err
	}
	o := messageObject(m, author, p.media)
	mentioned := []object{}
	seen := map[id]bool{}
	for _, found := range mention.FindAllStringSubmatch(m.Content, -1) {
		var i id
		if i.UnmarshalText([]byte(found[1])) != nil || seen[i] {
			continue
		}
		seen[i] = true
		u, err := p.user(ctx, i)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		with := userObject(u)
		with["member"] = memberObject(u)
		mentioned = append(mentioned, with)
	}
	o["mentions"] = mentioned
	return o, nil
}

func idsOf(messages []message.Message) []id {
	ids := make([]id, len(messages))
	for i, m := range messages {
		ids[i] = id(m.ID)
	}
	return ids
}
