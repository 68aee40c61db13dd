package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Who has read how far is kept by user and channel. Somebody who has never read
// a channel has read what was said before they came, and whoever says something
// has read what stands before it.

type markRead struct {
	ChannelID id `json:"channel_id"`
	MessageID id `json:"message_id"`
}

// markRead notes that the user has read a channel up to a message, and tells
// their other tabs. It only goes forward, and to the newest message at most.
func (s *Server) markRead(ctx context.Context, me id, in markRead) (object, error) {
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	newest, err := s.store.Page(ctx, in.ChannelID.String(), message.Query{Limit: 1})
	if err != nil || len(newest) == 0 {
		return object{}, err
	}
	in.MessageID = min(in.MessageID, id(newest[0].ID))
	moved, err := s.guild.markRead(ctx, me, in)
	if err != nil || !moved {
		return object{}, err
	}
	return object{}, s.publishTo(ctx, userTopic(me), gateway.Event{
		Type:  "MESSAGE_ACK",
		Data:  object{"channel_id": in.ChannelID, "message_id": in.MessageID, "version": 0},
		Class: gateway.Conflate,
		Key:   in.ChannelID.String(),
	})
}

// userTopic is where all sessions of a user are told what is theirs alone.
func userTopic(user id) string { return "user:" + user.String() }

// maxUnread is up to how many unread messages are counted.
const maxUnread = 100

// readStates is, for every channel, up to where a user has read it and how many
// messages of others are behind that. Bots do not read.
func (s *Server) readStates(ctx context.Context, me user, channels []channel) ([]object, error) {
	states := []object{}
	if me.bot {
		return states, nil
	}
	for _, c := range channels {
		mark, err := s.guild.readUpTo(ctx, me, c.id)
		if err != nil {
			return nil, err
		}
		mark, unread, mentions, err := s.unread(ctx, me.id, c, mark)
		if err != nil {
			return nil, err
		}
		states = append(states, object{"id": c.id, "last_message_id": mark, "mention_count": mentions, "unread_count": unread})
	}
	return states, nil
}

// unread counts the messages from behind a mark, or behind a later one of the
// user's own, to the channel's newest, and those that mention the user.
func (s *Server) unread(ctx context.Context, me id, c channel, from id) (mark id, unread, mentions int, err error) {
	mark = from
	if c.last <= mark {
		return mark, 0, 0, nil
	}
	page, err := s.store.Page(ctx, c.id.String(), message.Query{After: message.ID(mark), Limit: maxUnread})
	for _, m := range page {
		if id(m.ID) > c.last {
			break
		}
		if m.Author == me.String() {
			mark, unread, mentions = id(m.ID), 0, 0
			continue
		}
		unread++
		for _, found := range mention.FindAllStringSubmatch(m.Content, -1) {
			if found[1] == me.String() {
				mentions++
				break
			}
		}
	}
	return mark, unread, mentions, err
}

// markRead reports whether the mark has gone forward.
func (g guild) markRead(ctx context.Context, user id, in markRead) (bool, error) {
	res, err := g.db.ExecContext(ctx, `INSERT INTO chat_read (user, channel, message) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET message = excluded.message WHERE excluded.message > message`, int64(user), int64(in.ChannelID), int64(in.MessageID))
	if err != nil {
		return false, fmt.Errorf("mark as read: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// readUpTo is the last message that a user has read in a channel, or the last
// that there can have been when they came.
func (g guild) readUpTo(ctx context.Context, u user, channel id) (id, error) {
	var mark int64
	err := g.db.QueryRowContext(ctx, `SELECT message FROM chat_read WHERE user = ? AND channel = ?`, int64(u.id), int64(channel)).Scan(&mark)
	if errors.Is(err, sql.ErrNoRows) {
		return id(message.At(u.joined)), nil
	}
	if err != nil {
		return 0, fmt.Errorf("read marks: %w", err)
	}
	return id(mark), nil
}
