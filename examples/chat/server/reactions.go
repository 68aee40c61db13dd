package server

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/gateway"
)

const (
	maxEmoji     = 64 // bytes; the longest families have 40
	maxReactions = 20 // different ones, of a message
)

// react names a reaction of a user to a message. Emoji is empty for all.
type react struct {
	ChannelID id
	MessageID id
	Emoji     string
	UserID    id
}

// reaction is how often an emoji was given to a message.
type reaction struct {
	emoji string
	count int
	me    bool // by who asks, too
}

// react gives one's own reaction; again, it changes nothing.
func (s *Server) react(ctx context.Context, me id, in react) error {
	if !isEmoji(in.Emoji) {
		return noEmoji
	}
	m, err := s.message(ctx, in.ChannelID, in.MessageID)
	if err != nil {
		return err
	}
	isNew, err := s.guild.react(ctx, in.MessageID, in.Emoji, me)
	if err != nil || !isNew {
		return err
	}
	u, err := s.guild.user(ctx, me)
	if err != nil {
		return err
	}
	o := reactionEvent(in)
	o["user_id"], o["member"], o["message_author_id"], o["burst"], o["type"] = me, memberWithUser(u), m.Author, false, 0
	return s.publish(ctx, "MESSAGE_REACTION_ADD", gateway.IntentGuildMessageReactions, o)
}

// unreact takes a reaction back: one's own, or anybody's from one's own message.
func (s *Server) unreact(ctx context.Context, me id, in react) error {
	if !isEmoji(in.Emoji) {
		return noEmoji
	}
	m, err := s.message(ctx, in.ChannelID, in.MessageID)
	if err != nil {
		return err
	}
	if in.UserID != me && m.Author != me.String() {
		return notAllowed
	}
	n, err := s.guild.unreact(ctx, `message = ? AND emoji = ? AND user = ?`, int64(in.MessageID), in.Emoji, int64(in.UserID))
	if err != nil || n == 0 {
		return err
	}
	o := reactionEvent(in)
	o["user_id"], o["burst"], o["type"] = in.UserID, false, 0
	return s.publish(ctx, "MESSAGE_REACTION_REMOVE", gateway.IntentGuildMessageReactions, o)
}

// unreactAll takes all reactions of one emoji, or of all, from a message of
// one's own.
func (s *Server) unreactAll(ctx context.Context, me id, in react) error {
	kind, where, args := "MESSAGE_REACTION_REMOVE_ALL", `message = ?`, []any{int64(in.MessageID)}
	if in.Emoji != "" {
		kind, where, args = "MESSAGE_REACTION_REMOVE_EMOJI", `message = ? AND emoji = ?`, append(args, in.Emoji)
	}
	if _, err := s.own(ctx, me, in.ChannelID, in.MessageID, notAllowed); err != nil {
		return err
	}
	n, err := s.guild.unreact(ctx, where, args...)
	if err != nil || n == 0 {
		return err
	}
	return s.publish(ctx, kind, gateway.IntentGuildMessageReactions, reactionEvent(in))
}

// reactionEvent is what all events about reactions have.
func reactionEvent(in react) object {
	o := object{"channel_id": in.ChannelID, "message_id": in.MessageID, "guild_id": guildID}
	if in.Emoji != "" {
		o["emoji"] = emojiObject(in.Emoji)
	}
	return o
}

// isEmoji tells emoji from text by what they are made of: symbols, and the
// marks that join and colour them; digits and the like only with a keycap.
func isEmoji(text string) bool {
	const keycap = '\u20e3'
	symbol := strings.ContainsRune(text, keycap)
	for _, r := range text {
		switch {
		case r > unicode.MaxASCII && unicode.In(r, unicode.So, unicode.Sk, unicode.Sm), strings.ContainsRune("\u203c\u2049\u2139\u3030", r):
			symbol = true
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf): // variation, keycap, joiner, tags
		case strings.ContainsRune("0123456789#*", r) && strings.ContainsRune(text, keycap):
		default:
			return false
		}
	}
	return symbol && len(text) <= maxEmoji && utf8.ValidString(text)
}

// react reports whether the reaction is new. The error is manyEmoji if it
// would be one too many.
func (g guild) react(ctx context.Context, message id, emoji string, user id) (bool, error) {
	res, err := g.db.ExecContext(ctx, `INSERT OR IGNORE INTO chat_reactions (message, emoji, user) SELECT ?1, ?2, ?3
		WHERE EXISTS (SELECT 1 FROM chat_reactions WHERE message = ?1 AND emoji = ?2)
		OR (SELECT count(DISTINCT emoji) FROM chat_reactions WHERE message = ?1) < ?4`, int64(message), emoji, int64(user), maxReactions)
	if err != nil {
		return false, fmt.Errorf("react: %w", err)
	}
	if n, _ := res.RowsAffected(); n == 1 {
		return true, nil
	}
	var there bool
	err = g.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM chat_reactions WHERE message = ? AND emoji = ?)`, int64(message), emoji).Scan(&there)
	if err == nil && !there {
		err = manyEmoji
	}
	return false, err
}

// unreact returns how many reactions it took.
func (g guild) unreact(ctx context.Context, where string, args ...any) (int64, error) {
	res, err := g.db.ExecContext(ctx, `DELETE FROM chat_reactions WHERE `+where, args...)
	if err != nil {
		return 0, fmt.Errorf("unreact: %w", err)
	}
	return res.RowsAffected()
}

// reactions returns those to messages, by message, in the order in which their
// emoji came.
func (g guild) reactions(ctx context.Context, me id, messages []id) (map[id][]reaction, error) {
	rows, err := g.db.QueryContext(ctx, `SELECT message, emoji, count(*), max(user = ?) FROM chat_reactions
		WHERE message IN (SELECT value FROM json_each(?)) GROUP BY message, emoji ORDER BY min(number)`, int64(me), list(messages))
	if err != nil {
		return nil, fmt.Errorf("reactions: %w", err)
	}
	defer rows.Close()
	found := map[id][]reaction{}
	for rows.Next() {
		var message int64
		var r reaction
		if err := rows.Scan(&message, &r.emoji, &r.count, &r.me); err != nil {
			return nil, fmt.Errorf("reactions: %w", err)
		}
		found[id(message)] = append(found[id(message)], r)
	}
	return found, rows.Err()
}

// reacted returns who gave an emoji to a message, by id, from behind after.
func (g guild) reacted(ctx context.Context, message id, emoji string, after id, limit int) ([]user, error) {
	return g.selectUsers(ctx, `WHERE id IN (SELECT user FROM chat_reactions WHERE message = ? AND emoji = ?) AND id > ? ORDER BY id LIMIT ?`,
		int64(message), emoji, int64(after), limit)
}
