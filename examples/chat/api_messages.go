package main

import (
	"encoding/json"
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// form is a message as clients send it. What this chat does not keep is refused
// rather than lost.
type form struct {
	sendMessage
	ContentOrNull *string           `json:"content"`
	Embeds        []json.RawMessage `json:"embeds"`
	Embed         json.RawMessage   `json:"embed"` // of older clients
	Components    []json.RawMessage `json:"components"`
	Stickers      []json.RawMessage `json:"sticker_ids"`
	Attachments   []json.RawMessage `json:"attachments"`
	Poll          json.RawMessage   `json:"poll"`
}

// read decodes the form and makes a message for the channel in the path of it.
func (f *form) read(r *request) (err error) {
	if err := r.body(f); err != nil {
		return err
	}
	if f.ContentOrNull != nil {
		f.Content = *f.ContentOrNull
	}
	f.ChannelID, err = r.id("channel")
	lists := [][]json.RawMessage{f.Embeds, f.Components, f.Stickers, f.Attachments}
	more := slices.ContainsFunc(lists, func(l []json.RawMessage) bool { return len(l) > 0 })
	if err == nil && (more || there(f.Embed) || there(f.Poll)) {
		err = textOnly
	}
	return err
}

func there(value json.RawMessage) bool { return len(value) > 0 && string(value) != "null" }

func (s *server) postMessage(r *request) (any, error) {
	var f form
	if err := f.read(r); err != nil {
		return nil, err
	}
	return s.send(r.Context(), r.me.id, f.sendMessage)
}

func (s *server) patchMessage(r *request) (any, error) {
	channel, message, err := r.ids("channel", "message")
	if err != nil {
		return nil, err
	}
	var f form
	if err := f.read(r); err != nil {
		return nil, err
	}
	if f.ContentOrNull == nil { // other things of it are changed, which it does not have
		if _, err := s.own(r.Context(), r.me.id, channel, message, notAuthor); err != nil {
			return nil, err
		}
		return s.getMessage(r)
	}
	if _, err := s.edit(r.Context(), r.me.id, editMessage{channel, message, f.Content}); err != nil {
		return nil, err
	}
	return s.getMessage(r)
}

func (s *server) deleteMessage(r *request) (any, error) {
	channel, message, err := r.ids("channel", "message")
	if err == nil {
		_, err = s.remove(r.Context(), r.me.id, deleteMessage{channel, message})
	}
	return nil, err
}

func (s *server) postBulkDelete(r *request) (any, error) {
	var in deleteMessages
	if err := r.body(&in); err != nil {
		return nil, err
	}
	var err error
	if in.ChannelID, err = r.id("channel"); err == nil {
		_, err = s.removeMany(r.Context(), r.me.id, in)
	}
	return nil, err
}

func (s *server) getMessage(r *request) (any, error) {
	channel, i, err := r.ids("channel", "message")
	if err != nil {
		return nil, err
	}
	m, err := s.message(r.Context(), channel, i)
	if err != nil {
		return nil, err
	}
	page, err := s.page(r.Context(), r.me.id, []message.Message{m})
	if err != nil {
		return nil, err
	}
	return page[0], nil
}

// getMessages answers newest first: the newest of all, or of those before or
// around a message, or the oldest of those after one.
func (s *server) getMessages(r *request) (any, error) {
	channel, err := r.id("channel")
	if err != nil {
		return nil, err
	}
	if err := s.checkChannel(r.Context(), channel); err != nil {
		return nil, err
	}
	limit, err := r.limit(50, maxHistory)
	if err != nil {
		return nil, err
	}
	var before, after, around id
	for name, to := range map[string]*id{"before": &before, "after": &after, "around": &around} {
		if *to, err = r.idOf(name); err != nil {
			return nil, err
		}
	}
	// In the query 0 is an id, before all others; in a Query it is none.
	q := message.Query{Limit: limit, Before: message.ID(before)}
	switch query := r.URL.Query(); {
	case query.Has("around"):
		q = message.Query{Limit: limit, Around: message.ID(max(around, 1))}
	case query.Has("after"):
		q = message.Query{Limit: limit, After: message.ID(max(after, 1))}
	}
	messages, err := s.store.Page(r.Context(), channel.String(), q)
	if err != nil {
		return nil, err
	}
	slices.Reverse(messages)
	return s.page(r.Context(), r.me.id, messages)
}
