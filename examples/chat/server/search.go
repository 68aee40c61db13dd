package server

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// search asks for the messages that have all the words of a text.
type search struct {
	Text      string `json:"text"`
	ChannelID id     `json:"channel_id"` // 0: all
	Before    id     `json:"before"`     // 0: from the newest
	Limit     int    `json:"limit"`
}

const (
	maxFound = 25  // messages of one answer
	maxText  = 200 // characters to look for: every word takes its time
)

// search is what was found, newest first, and whether there is more.
func (s *Server) search(ctx context.Context, me id, in search) (object, error) {
	if in.Limit <= 0 || in.Limit > maxFound {
		in.Limit = maxFound
	}
	q := message.Search{Text: in.Text, Before: message.ID(in.Before), Limit: in.Limit + 1} // one more says whether there is more
	if in.ChannelID != 0 {
		if err := s.checkChannel(ctx, in.ChannelID); err != nil {
			return nil, err
		}
		q.Channels = []string{in.ChannelID.String()}
	}
	hits, err := s.hits(ctx, q)
	if err != nil {
		return nil, err
	}
	messages, err := s.found(ctx, me, hits[:min(len(hits), in.Limit)])
	if err != nil {
		return nil, err
	}
	return object{"messages": messages, "more": len(hits) > in.Limit}, nil
}

func (s *Server) hits(ctx context.Context, q message.Search) ([]message.Hit, error) {
	if utf8.RuneCountInString(q.Text) > maxText {
		why := fmt.Sprintf("Must be %d or fewer in length.", maxText)
		return nil, invalid("content", "BASE_TYPE_MAX_LENGTH", why, "TOO_LONG", why)
	}
	if len(message.Words(q.Text)) == 0 {
		return nil, invalid("content", "BASE_TYPE_REQUIRED", "A word is required.", "EMPTY", "A search needs a word.")
	}
	return s.index.Search(ctx, q)
}

// found is the messages behind hits, as a user sees them. One that was deleted
// meanwhile is left out.
func (s *Server) found(ctx context.Context, me id, hits []message.Hit) ([]object, error) {
	messages := make([]message.Message, 0, len(hits))
	for _, hit := range hits {
		m, err := s.find(ctx, hit.Channel, id(hit.ID))
		if errors.Is(err, message.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	return s.page(ctx, me, messages)
}
