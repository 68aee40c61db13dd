package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	Poll          json.RawMessage   `json:"poll"`
}

// read decodes the form and makes a message for the channel in the path of it;
// take, unless it is nil, takes its files.
func (f *form) read(r *request, take taker) (err error) {
	if err := r.bodyWithFiles(f, take); err != nil {
		return err
	}
	if f.ContentOrNull != nil {
		f.Content = *f.ContentOrNull
	}
	f.ChannelID, err = r.id("channel")
	lists := [][]json.RawMessage{f.Embeds, f.Components, f.Stickers}
	more := slices.ContainsFunc(lists, func(l []json.RawMessage) bool { return len(l) > 0 })
	if err == nil && (more || there(f.Embed) || there(f.Poll)) {
		err = textOnly
	}
	return err
}

func there(value json.RawMessage) bool { return len(value) > 0 && string(value) != "null" }

func (s *Server) postMessage(r *request) (any, error) {
	var f form
	var uploads []upload
	var take taker
	if s.media != nil {
		take = func(field, name string, from io.Reader) error {
			u, err := s.takeFile(r, field, name, from)
			uploads = append(uploads, u)
			return err
		}
	}
	if err := f.read(r, take); err != nil {
		return nil, err
	}
	f.uploads = uploads
	ctx, cancel := outlive(r.Context()) // its files may have taken a while
	defer cancel()
	return s.send(ctx, r.me.id, f.sendMessage)
}

// takeFile keeps a file of a form. Fields are called files[0] and on, or anything.
func (s *Server) takeFile(r *request, field, name string, from io.Reader) (upload, error) {
	if err := s.mayUpload(r.Context(), r.me.id); err != nil {
		return upload{}, err
	}
	o, err := s.keep(context.WithoutCancel(r.Context()), from) // net/http ends one that takes too long
	u := upload{name: name, hash: o.Hash}
	fmt.Sscanf(field, "files[%d]", &u.number)
	return u, err
}

func (s *Server) patchMessage(r *request) (any, error) {
	channel, message, err := r.ids("channel", "message")
	if err != nil {
		return nil, err
	}
	var f form
	if err := f.read(r, nil); err != nil {
		return nil, err
	}
	if len(f.Attachments) > 0 {
		return nil, textOnly
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

func (s *Server) deleteMessage(r *request) (any, error) {
	channel, message, err := r.ids("channel", "message")
	if err == nil {
		_, err = s.remove(r.Context(), r.me.id, deleteMessage{channel, message})
	}
	return nil, err
}

func (s *Server) postBulkDelete(r *request) (any, error) {
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

func (s *Server) getMessage(r *request) (any, error) {
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
func (s *Server) getMessages(r *request) (any, error) {
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
