package server

import (
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// searchMessages answers with the messages that have all the words of content,
// newest first. It counts 100 of them at most.
func (s *Server) searchMessages(r *request) (any, error) {
	if err := r.inGuild(); err != nil {
		return nil, err
	}
	limit, err := r.number("limit", maxFound, 1, maxFound)
	if err != nil {
		return nil, err
	}
	offset, err := r.number("offset", 0, 0, message.MaxHits)
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	q := message.Search{Text: query.Get("content"), Channels: query["channel_id"], Author: query.Get("author_id"), Limit: message.MaxHits}
	for name, to := range map[string]*message.ID{"max_id": &q.Before, "min_id": &q.After} {
		i, err := r.idOf(name)
		if err != nil {
			return nil, err
		}
		*to = message.ID(i)
	}
	hits, err := s.hits(r.Context(), q)
	if err != nil {
		return nil, err
	}
	total := len(hits)
	hits = hits[min(offset, total):min(offset+limit, total)]
	messages, err := s.found(r.Context(), r.me.id, hits)
	if err != nil {
		return nil, err
	}
	groups := make([][]object, len(messages)) // each with what stands around it, on Discord
	for i, m := range messages {
		m["hit"] = true
		groups[i] = []object{m}
	}
	return object{"total_results": total, "messages": groups, "doing_deep_historical_index": false}, nil
}

func (s *Server) postAck(r *request) (any, error) {
	channel, i, err := r.ids("channel", "message")
	if err == nil {
		_, err = s.markRead(r.Context(), r.me.id, markRead{channel, i})
	}
	return object{"token": nil}, err
}
