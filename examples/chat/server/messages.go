package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// maxContent is how many characters a message may have, as on Discord.
const maxContent = 2000

type editMessage struct {
	ChannelID id     `json:"channel_id"`
	MessageID id     `json:"message_id"`
	Content   string `json:"content"`
}

// edit changes a message of one's own.
func (s *Server) edit(ctx context.Context, me id, in editMessage) (object, error) {
	m, err := s.own(ctx, me, in.ChannelID, in.MessageID, notAuthor)
	if err != nil {
		return nil, err
	}
	if m.Content, err = checkContent(in.Content, extraOf(m).Files); err != nil {
		return nil, err
	}
	m.Edited = s.now()
	if err := s.store.Edit(ctx, m); err != nil {
		return nil, gone(err)
	}
	if err := s.index.Add(ctx, []message.Message{m}); err != nil {
		return nil, err
	}
	o, err := s.one(ctx, m)
	if err != nil {
		return nil, err
	}
	return o, s.publish(ctx, "MESSAGE_UPDATE", gateway.IntentGuildMessages, o)
}

type deleteMessage struct {
	ChannelID id `json:"channel_id"`
	MessageID id `json:"message_id"`
}

// remove deletes a message of one's own.
func (s *Server) remove(ctx context.Context, me id, in deleteMessage) (object, error) {
	if _, err := s.own(ctx, me, in.ChannelID, in.MessageID, notAllowed); err != nil {
		return nil, err
	}
	deleted, err := s.forget(ctx, in.ChannelID, in.MessageID)
	if err == nil && len(deleted) == 0 {
		err = noMessage
	}
	if err != nil {
		return nil, err
	}
	o := object{"id": in.MessageID, "channel_id": in.ChannelID, "guild_id": guildID}
	return o, s.publish(ctx, "MESSAGE_DELETE", gateway.IntentGuildMessages, o)
}

type deleteMessages struct {
	ChannelID id   `json:"channel_id"`
	Messages  []id `json:"messages"`
}

// removeMany deletes several messages of one's own. Those that are gone already
// are no error; one that is somebody else's is, before any is deleted.
func (s *Server) removeMany(ctx context.Context, me id, in deleteMessages) (object, error) {
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	if len(in.Messages) < 2 || len(in.Messages) > 100 {
		return nil, bulkSize
	}
	for _, i := range in.Messages {
		if _, err := s.own(ctx, me, in.ChannelID, i, notAllowed); err != nil && !errors.Is(err, noMessage) {
			return nil, err
		}
	}
	deleted, err := s.forget(ctx, in.ChannelID, in.Messages...)
	if err != nil {
		return nil, err
	}
	o := object{"ids": deleted, "channel_id": in.ChannelID, "guild_id": guildID}
	if len(deleted) == 0 {
		return o, nil
	}
	return o, s.publish(ctx, "MESSAGE_DELETE_BULK", gateway.IntentGuildMessages, o)
}

// forget deletes messages, with what belongs to them, and returns those that
// were there.
func (s *Server) forget(ctx context.Context, channel id, messages ...id) ([]id, error) {
	ids := make([]message.ID, len(messages))
	for i, m := range messages {
		ids[i] = message.ID(m)
	}
	there, err := s.store.Delete(ctx, channel.String(), ids...)
	if err != nil {
		return nil, err
	}
	deleted := make([]id, len(there))
	for i, m := range there {
		deleted[i] = id(m)
	}
	_, err = s.guild.unreact(ctx, `message IN (SELECT value FROM json_each(?))`, list(deleted))
	return deleted, errors.Join(err, s.index.Remove(ctx, channel.String(), ids...))
}

// checkContent returns the text of a message, without spaces around it. Beside
// files there need be none.
func checkContent(content string, files []file) (string, error) {
	content = strings.TrimSpace(content)
	switch n := utf8.RuneCountInString(content); {
	case n == 0 && len(files) == 0:
		return "", empty
	case n > maxContent:
		return "", invalid("content", "BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", maxContent),
			"TOO_LONG", fmt.Sprintf("A message has at most %d characters; this one has %d.", maxContent, n))
	}
	return content, nil
}

// own returns a message that the user has written, or refused if it is
// somebody else's.
func (s *Server) own(ctx context.Context, me, channel, i id, refused *refusal) (message.Message, error) {
	m, err := s.message(ctx, channel, i)
	if err == nil && m.Author != me.String() {
		err = refused
	}
	return m, err
}

// message returns a message of a channel.
func (s *Server) message(ctx context.Context, channel, i id) (message.Message, error) {
	if err := s.checkChannel(ctx, channel); err != nil {
		return message.Message{}, err
	}
	m, err := s.find(ctx, channel.String(), i)
	return m, gone(err)
}

// find returns a message. The error is message.ErrNotFound if it is not there.
func (s *Server) find(ctx context.Context, channel string, i id) (message.Message, error) {
	if i == 0 {
		return message.Message{}, message.ErrNotFound
	}
	page, err := s.store.Page(ctx, channel, message.Query{Around: message.ID(i), Limit: 1})
	if err == nil && (len(page) == 0 || page[0].ID != message.ID(i)) {
		err = message.ErrNotFound
	}
	if err != nil {
		return message.Message{}, err
	}
	return page[0], nil
}

// instead replaces an error by what it means here.
func instead(err, of error, by *refusal) error {
	if errors.Is(err, of) {
		return by
	}
	return err
}
