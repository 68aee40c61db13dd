package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// maxContent is how many characters a message may have, as on Discord.
const maxContent = 2000

// lastWithin is how long a command may take to be kept and told.
const lastWithin = 10 * time.Second

// maxPayload is how many bytes a client may send at once: the longest message,
// when each of its characters is written as two \u escapes, and what is around it.
const maxPayload = 12*maxContent + 1024

func (s *server) handleCommands() {
	gateway.Handle(s.gw, "SEND_MESSAGE", lasting(s.sendMessage))
	gateway.Handle(s.gw, "EDIT_MESSAGE", lasting(s.editMessage))
	gateway.Handle(s.gw, "DELETE_MESSAGE", lasting(s.deleteMessage))
	gateway.Handle(s.gw, "TYPING", s.typing)
	gateway.Handle(s.gw, "HISTORY", s.history)
	gateway.Handle(s.gw, "CREATE_CHANNEL", lasting(s.createChannel))
}

// command is what the gateway calls when a client asks for something.
type command[In any] = func(context.Context, *gateway.Session, In) (object, error)

// lasting has a command go its way even if the client's connection ends
// meanwhile, so that nothing is kept and told to nobody.
func lasting[In any](run command[In]) command[In] {
	return func(ctx context.Context, session *gateway.Session, in In) (object, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWithin)
		defer cancel()
		return run(ctx, session, in)
	}
}

func refuse(code, format string, args ...any) error {
	return &gateway.CommandError{Code: code, Message: fmt.Sprintf(format, args...)}
}

type sendMessage struct {
	ChannelID id              `json:"channel_id"`
	Content   string          `json:"content"`
	Nonce     json.RawMessage `json:"nonce"` // comes back with the event

	// EnforceNonce makes sending again harmless: a nonce that its author has used
	// within the last day stands for the message that was sent with it.
	EnforceNonce bool `json:"enforce_nonce"`
}

func (s *server) sendMessage(ctx context.Context, session *gateway.Session, in sendMessage) (object, error) {
	content, err := checkContent(in.Content)
	if err != nil {
		return nil, err
	}
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	author, err := s.guild.user(ctx, userID(session))
	if err != nil {
		return nil, err
	}
	if len(in.Nonce) > maxNonce || string(in.Nonce) == "null" {
		in.Nonce = nil
	}
	m, isNew, err := s.keep(ctx, in, sqlite.Message{Channel: uint64(in.ChannelID), Author: uint64(author.id), Content: content})
	if err != nil {
		return nil, err
	}
	o := messageObject(m, author)
	if in.Nonce != nil {
		o["nonce"] = in.Nonce
	}
	if !isNew { // everybody has been told; only the reply was lost
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
			return m, false, notFound(err)
		}
	}
	m.ID = uint64(i)
	err := s.writes.keep(ctx, m)
	if errors.Is(err, sqlite.ErrExists) {
		m, err = s.store.Get(ctx, m.Channel, m.ID)
		return m, false, notFound(err)
	}
	return m, true, err
}

type editMessage struct {
	ChannelID id     `json:"channel_id"`
	MessageID id     `json:"message_id"`
	Content   string `json:"content"`
}

func (s *server) editMessage(ctx context.Context, session *gateway.Session, in editMessage) (object, error) {
	content, err := checkContent(in.Content)
	if err != nil {
		return nil, err
	}
	m, err := s.own(ctx, session, in.ChannelID, in.MessageID)
	if err != nil {
		return nil, err
	}
	m.Content, m.Edited = content, s.now()
	if err := s.store.Edit(ctx, m.Channel, m.ID, m.Content, m.Edited); err != nil {
		return nil, notFound(err)
	}
	author, err := s.guild.user(ctx, id(m.Author))
	if err != nil {
		return nil, err
	}
	o := messageObject(m, author)
	return o, s.publish(ctx, "MESSAGE_UPDATE", gateway.IntentGuildMessages, o)
}

type deleteMessage struct {
	ChannelID id `json:"channel_id"`
	MessageID id `json:"message_id"`
}

func (s *server) deleteMessage(ctx context.Context, session *gateway.Session, in deleteMessage) (object, error) {
	if _, err := s.own(ctx, session, in.ChannelID, in.MessageID); err != nil {
		return nil, err
	}
	if err := s.store.Delete(ctx, uint64(in.ChannelID), uint64(in.MessageID)); err != nil {
		return nil, notFound(err)
	}
	o := object{"id": in.MessageID, "channel_id": in.ChannelID, "guild_id": guildID}
	return o, s.publish(ctx, "MESSAGE_DELETE", gateway.IntentGuildMessages, o)
}

type typing struct {
	ChannelID id `json:"channel_id"`
}

func (s *server) typing(ctx context.Context, session *gateway.Session, in typing) (object, error) {
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	u, err := s.guild.user(ctx, userID(session))
	if err != nil {
		return nil, err
	}
	return object{}, s.gw.Publish(ctx, topic, gateway.Event{
		Type:   "TYPING_START",
		Data:   object{"channel_id": in.ChannelID, "guild_id": guildID, "user_id": u.id, "timestamp": s.now().Unix(), "member": memberWithUser(u)},
		Intent: gateway.IntentGuildMessageTyping,
		Class:  gateway.Volatile,
	})
}

type history struct {
	ChannelID id  `json:"channel_id"`
	Before    id  `json:"before"`
	Limit     int `json:"limit"`
}

// maxHistory is the most messages of one answer.
const maxHistory = 100

func (s *server) history(ctx context.Context, session *gateway.Session, in history) (object, error) {
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
	nonces, err := s.guild.nonces(ctx, userID(session), page)
	if err != nil {
		return nil, err
	}
	authors := map[uint64]user{}
	messages := make([]object, len(page))
	for i, m := range page {
		author, known := authors[m.Author]
		if !known {
			if author, err = s.guild.user(ctx, id(m.Author)); err != nil {
				return nil, err
			}
			authors[m.Author] = author
		}
		messages[i] = messageObject(m, author)
		if nonce, ok := nonces[m.ID]; ok {
			messages[i]["nonce"] = nonce
		}
	}
	return object{"messages": messages, "more": more}, nil
}

type createChannel struct {
	Name string `json:"name"`
}

var channelName = regexp.MustCompile(`^[\p{L}\p{N}_-]{1,40}$`)

func (s *server) createChannel(ctx context.Context, _ *gateway.Session, in createChannel) (object, error) {
	name := strings.ToLower(strings.Join(strings.Fields(in.Name), "-"))
	if !channelName.MatchString(name) {
		return nil, refuse("BAD_REQUEST", "A channel's name has 1 to 40 letters, digits, hyphens or underscores.")
	}
	c, err := s.guild.create(ctx, s.ids.next(s.now()), name)
	if errors.Is(err, errTaken) {
		return nil, refuse("TAKEN", "There is a channel #%s already.", name)
	}
	if err != nil {
		return nil, err
	}
	o := channelObject(c)
	return o, s.publish(ctx, "CHANNEL_CREATE", gateway.IntentGuilds, o)
}

func checkContent(content string) (string, error) {
	content = strings.TrimSpace(content)
	switch n := utf8.RuneCountInString(content); {
	case n == 0:
		return "", refuse("EMPTY", "A message needs some text.")
	case n > maxContent:
		return "", refuse("TOO_LONG", "A message has at most %d characters; this one has %d.", maxContent, n)
	}
	return content, nil
}

func (s *server) checkChannel(ctx context.Context, i id) error {
	ok, err := s.guild.hasChannel(ctx, i)
	if err == nil && !ok {
		err = refuse("NOT_FOUND", "There is no such channel.")
	}
	return err
}

// own returns a message that the session's user has written.
func (s *server) own(ctx context.Context, session *gateway.Session, channel, message id) (sqlite.Message, error) {
	m, err := s.store.Get(ctx, uint64(channel), uint64(message))
	if err != nil {
		return m, notFound(err)
	}
	if id(m.Author) != userID(session) {
		return m, refuse("FORBIDDEN", "That message is somebody else's.")
	}
	return m, nil
}

func notFound(err error) error {
	if errors.Is(err, sqlite.ErrNotFound) {
		return refuse("NOT_FOUND", "That message is not there any more.")
	}
	return err
}
