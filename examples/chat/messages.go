package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// maxContent is how many characters a message may have, as on Discord.
const maxContent = 2000

type sendMessage struct {
	ChannelID id              `json:"channel_id"`
	Content   string          `json:"content"`
	Nonce     json.RawMessage `json:"nonce"`             // comes back with the event
	Reply     *reference      `json:"message_reference"` // nil: it answers nothing

	// EnforceNonce makes sending again harmless: a nonce that its author has used
	// within the last day stands for the message that was sent with it.
	EnforceNonce bool `json:"enforce_nonce"`
}

// send keeps a message and tells everybody.
func (s *server) send(ctx context.Context, me id, in sendMessage) (object, error) {
	content, err := checkContent(in.Content)
	if err != nil {
		return nil, err
	}
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	if in.Reply != nil {
		if in.Reply, err = s.checkReference(ctx, in.ChannelID, *in.Reply); err != nil {
			return nil, err
		}
	}
	if len(in.Nonce) > maxNonce || string(in.Nonce) == "null" {
		in.Nonce = nil
	}
	m, isNew, err := s.keep(ctx, in, sqlite.Message{Channel: uint64(in.ChannelID), Author: uint64(me), Content: content})
	if err != nil {
		return nil, err
	}
	o, err := s.one(ctx, m)
	if err != nil {
		return nil, err
	}
	if in.Nonce != nil {
		o["nonce"] = in.Nonce
	}
	if !isNew { // everybody has been told; only the answer was lost
		return o, nil
	}
	return o, s.publish(ctx, "MESSAGE_CREATE", gateway.IntentGuildMessages, o)
}

// keep gives a message its id and stores it, or finds the one that was sent
// with the same nonce before.
func (s *server) keep(ctx context.Context, in sendMessage, m sqlite.Message) (sqlite.Message, bool, error) {
	i := s.ids.next(s.now())
	if in.EnforceNonce && in.Nonce != nil {
		var err error
		if i, err = s.guild.claim(ctx, id(m.Author), string(in.Nonce), i); err != nil {
			return m, false, gone(err)
		}
	}
	m.ID = uint64(i)
	if in.Reply != nil {
		if err := s.guild.reply(ctx, i, in.Reply.MessageID); err != nil {
			return m, false, err
		}
	}
	err := s.writes.keep(ctx, m)
	if errors.Is(err, sqlite.ErrExists) {
		m, err = s.store.Get(ctx, m.Channel, m.ID)
		return m, false, gone(err)
	}
	return m, true, err
}

type editMessage struct {
	ChannelID id     `json:"channel_id"`
	MessageID id     `json:"message_id"`
	Content   string `json:"content"`
}

// edit changes a message of one's own.
func (s *server) edit(ctx context.Context, me id, in editMessage) (object, error) {
	content, err := checkContent(in.Content)
	if err != nil {
		return nil, err
	}
	m, err := s.own(ctx, me, in.ChannelID, in.MessageID, notAuthor)
	if err != nil {
		return nil, err
	}
	m.Content, m.Edited = content, s.now()
	if err := s.store.Edit(ctx, m.Channel, m.ID, m.Content, m.Edited); err != nil {
		return nil, gone(err)
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
func (s *server) remove(ctx context.Context, me id, in deleteMessage) (object, error) {
	if _, err := s.own(ctx, me, in.ChannelID, in.MessageID, notAllowed); err != nil {
		return nil, err
	}
	if err := s.store.Delete(ctx, uint64(in.ChannelID), uint64(in.MessageID)); err != nil {
		return nil, gone(err)
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
func (s *server) removeMany(ctx context.Context, me id, in deleteMessages) (object, error) {
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
	deleted := []id{}
	var failed error
	for _, i := range in.Messages {
		switch err := s.store.Delete(ctx, uint64(in.ChannelID), uint64(i)); {
		case err == nil:
			deleted = append(deleted, i)
		case !errors.Is(err, sqlite.ErrNotFound):
			failed = errors.Join(failed, err)
		}
	}
	o := object{"ids": deleted, "channel_id": in.ChannelID, "guild_id": guildID}
	if len(deleted) == 0 {
		return o, failed
	}
	return o, errors.Join(failed, s.publish(ctx, "MESSAGE_DELETE_BULK", gateway.IntentGuildMessages, o))
}

type history struct {
	ChannelID id  `json:"channel_id"`
	Before    id  `json:"before"`
	Limit     int `json:"limit"`
}

// maxHistory is the most messages of one answer.
const maxHistory = 100

// history is a page of what was said, oldest first, and whether there is more.
func (s *server) history(ctx context.Context, me id, in history) (object, error) {
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	if in.Limit <= 0 || in.Limit > maxHistory {
		in.Limit = maxHistory / 2
	}
	// One more than asked for says whether there are more.
	page, err := s.store.History(ctx, uint64(in.ChannelID), uint64(in.Before), in.Limit+1)
	if err != nil {
		return nil, err
	}
	more := len(page) > in.Limit
	if more {
		page = page[1:]
	}
	messages, err := s.page(ctx, me, page)
	if err != nil {
		return nil, err
	}
	return object{"messages": messages, "more": more}, nil
}

func checkContent(content string) (string, error) {
	content = strings.TrimSpace(content)
	switch n := utf8.RuneCountInString(content); {
	case n == 0:
		return "", empty
	case n > maxContent:
		return "", invalid("content", "BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", maxContent),
			"TOO_LONG", fmt.Sprintf("A message has at most %d characters; this one has %d.", maxContent, n))
	}
	return content, nil
}

// own returns a message that the user has written, or refused if it is
// somebody else's.
func (s *server) own(ctx context.Context, me, channel, message id, refused *refusal) (sqlite.Message, error) {
	m, err := s.message(ctx, channel, message)
	if err == nil && id(m.Author) != me {
		err = refused
	}
	return m, err
}

// message returns a message of a channel.
func (s *server) message(ctx context.Context, channel, message id) (sqlite.Message, error) {
	if err := s.checkChannel(ctx, channel); err != nil {
		return sqlite.Message{}, err
	}
	m, err := s.store.Get(ctx, uint64(channel), uint64(message))
	return m, gone(err)
}

// instead replaces an error by what it means here.
func instead(err, of error, by *refusal) error {
	if errors.Is(err, of) {
		return by
	}
	return err
}
