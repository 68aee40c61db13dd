package server

import (
	"context"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// history asks for messages of a channel: the newest, or those before or after
// one, or around it.
type history struct {
	ChannelID id  `json:"channel_id"`
	Before    id  `json:"before"`
	After     id  `json:"after"`
	Around    id  `json:"around"`
	Limit     int `json:"limit"`
}

// maxHistory is the most messages of one answer.
const maxHistory = 100

// history is a page of what was said, oldest first, and whether there are older
// and newer messages than those.
func (s *Server) history(ctx context.Context, me id, in history) (object, error) {
	if err := s.checkChannel(ctx, in.ChannelID); err != nil {
		return nil, err
	}
	if in.Limit <= 0 || in.Limit > maxHistory {
		in.Limit = maxHistory / 2
	}
	q := message.Query{Before: message.ID(in.Before), After: message.ID(in.After), Around: message.ID(in.Around), Limit: in.Limit}
	if q.Check() != nil {
		return nil, badJSON
	}
	page, err := s.store.Page(ctx, in.ChannelID.String(), q)
	if err != nil {
		return nil, err
	}
	older, newer := false, false
	if len(page) > 0 {
		if older, err = s.has(ctx, in.ChannelID, message.Query{Before: page[0].ID}); err != nil {
			return nil, err
		}
		if newer, err = s.has(ctx, in.ChannelID, message.Query{After: page[len(page)-1].ID}); err != nil {
			return nil, err
		}
	}
	messages, err := s.page(ctx, me, page)
	if err != nil {
		return nil, err
	}
	return object{"messages": messages, "more": older, "newer": newer}, nil
}

func (s *Server) has(ctx context.Context, channel id, q message.Query) (bool, error) {
	q.Limit = 1
	page, err := s.store.Page(ctx, channel.String(), q)
	return len(page) > 0, err
}
