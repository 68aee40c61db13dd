package server

import (
	"context"
	"encoding/json"
	"errors"
)

// reference is how a message says which one it answers.
type reference struct {
	Type      int `json:"type"` // 0: an answer
	MessageID id  `json:"message_id"`
	ChannelID id  `json:"channel_id"` // 0: the same

	// FailIfNotExists false, which is not the default, has a message sent
	// whatever became of the one that it answers.
	FailIfNotExists *bool `json:"fail_if_not_exists"`
}

// checkReference returns the reference, or nil if what it refers to is gone and
// that does not matter.
func (s *Server) checkReference(ctx context.Context, channel id, in reference) (*reference, error) {
	missing := invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message", "NOT_FOUND", noMessage.Message)
	if in.Type != 0 || in.ChannelID != 0 && in.ChannelID != channel {
		return nil, invalid("message_reference", "REPLIES_UNSUPPORTED", "Only messages of the same channel can be answered.",
			"BAD_REQUEST", "Only messages of the same channel can be answered.")
	}
	_, err := s.message(ctx, channel, in.MessageID)
	switch {
	case err == nil:
		return &in, nil
	case !errors.Is(err, noMessage):
		return nil, err
	case in.FailIfNotExists != nil && !*in.FailIfNotExists:
		return nil, nil
	}
	return nil, missing
}

// list is ids as a parameter of a statement, which json_each takes apart.
func list(ids []id) string {
	numbers := make([]uint64, len(ids))
	for i, n := range ids {
		numbers[i] = uint64(n)
	}
	text, _ := json.Marshal(numbers) // numbers have no error
	return string(text)
}
