package server

// reaction is the one that the path names.
func (r *request) reaction() (in react, err error) {
	in.Emoji, in.UserID = r.PathValue("emoji"), r.me.id
	in.ChannelID, in.MessageID, err = r.ids("channel", "message")
	return in, err
}

func (s *Server) putReaction(r *request) (any, error) {
	in, err := r.reaction()
	if err == nil {
		err = s.react(r.Context(), r.me.id, in)
	}
	return nil, err
}

func (s *Server) deleteReaction(r *request) (any, error) {
	in, err := r.reaction()
	if err == nil {
		in.UserID, err = r.userID()
	}
	if err == nil {
		err = s.unreact(r.Context(), r.me.id, in)
	}
	return nil, err
}

// deleteReactions deletes those of one emoji, or all.
func (s *Server) deleteReactions(r *request) (any, error) {
	in, err := r.reaction()
	if err == nil && in.Emoji != "" && !isEmoji(in.Emoji) {
		err = noEmoji
	}
	if err == nil {
		err = s.unreactAll(r.Context(), r.me.id, in)
	}
	return nil, err
}

// getReactions answers who has reacted so.
func (s *Server) getReactions(r *request) (any, error) {
	in, err := r.reaction()
	if err != nil {
		return nil, err
	}
	limit, err := r.limit(25, 100)
	if err != nil {
		return nil, err
	}
	after, err := r.idOf("after")
	if err != nil {
		return nil, err
	}
	if !isEmoji(in.Emoji) {
		return nil, noEmoji
	}
	if _, err := s.message(r.Context(), in.ChannelID, in.MessageID); err != nil {
		return nil, err
	}
	users, err := s.guild.reacted(r.Context(), in.MessageID, in.Emoji, after, limit)
	if err != nil {
		return nil, err
	}
	all := make([]object, len(users))
	for i, u := range users {
		all[i] = userObject(u)
	}
	return all, nil
}
