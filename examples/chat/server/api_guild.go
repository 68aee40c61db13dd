package server

import (
	"context"
	"database/sql"
)

func (s *Server) getSelf(r *request) (any, error) { return selfObject(r.me), nil }

func (s *Server) getUser(r *request) (any, error) {
	i, err := r.id("user")
	if err != nil {
		return nil, err
	}
	u, err := s.guild.user(r.Context(), i)
	if err != nil {
		return nil, instead(err, sql.ErrNoRows, noUser)
	}
	return userObject(u), nil
}

func (s *Server) getOwnGuilds(r *request) (any, error) {
	g := object{"id": guildID, "name": guildName, "icon": nil, "banner": nil, "owner": false, "permissions": s.permissions(), "features": none}
	return []object{g}, s.addCounts(r, g)
}

func (s *Server) postDirect(*request) (any, error) { return nil, noDirect }

// applicationFlags are Discord's bits 13, 15 and 19: an application may have
// presences, members and message content.
const applicationFlags = 1<<13 | 1<<15 | 1<<19

// getApplication answers with the one that the user is.
func (s *Server) getApplication(r *request) (any, error) {
	u := userObject(r.me)
	return object{
		"id": r.me.id, "name": r.me.name, "description": "", "icon": nil, "summary": "", "type": nil, "flags": applicationFlags, "hook": true,
		"bot": u, "bot_public": true, "bot_require_code_grant": false, "owner": u, "team": nil, "verify_key": "", "rpc_origins": none,
		"redirect_uris": none, "tags": none, "interactions_endpoint_url": nil, "role_connections_verification_url": nil,
		"approximate_guild_count": 1, "approximate_user_install_count": 0,
	}, nil
}

// inGuild is for routes of the one guild.
func (r *request) inGuild() error {
	i, err := r.id("guild")
	if err == nil && i != guildID {
		err = noGuild
	}
	return err
}

func (s *Server) getGuild(r *request) (any, error) {
	if err := r.inGuild(); err != nil {
		return nil, err
	}
	g := s.guildObject()
	return g, s.addCounts(r, g)
}

// addCounts puts into a guild how many there are, if the query asks for it.
func (s *Server) addCounts(r *request, g object) error {
	if r.URL.Query().Get("with_counts") != "true" {
		return nil
	}
	users, err := s.guild.users(r.Context())
	online := 0
	for range s.gw.Presence().Online(topic) {
		online++
	}
	g["approximate_member_count"], g["approximate_presence_count"] = len(users), online
	return err
}

func (s *Server) getChannels(r *request) (any, error) {
	if err := r.inGuild(); err != nil {
		return nil, err
	}
	channels, err := s.channels(r.Context())
	return channelObjects(channels), err
}

func (s *Server) postChannel(r *request) (any, error) {
	if err := r.inGuild(); err != nil {
		return nil, err
	}
	var in createChannel
	if err := r.body(&in); err != nil {
		return nil, err
	}
	o, err := s.createChannel(r.Context(), r.me.id, in)
	return created{o}, err
}

func (s *Server) getMembers(r *request) (any, error) {
	if err := r.inGuild(); err != nil {
		return nil, err
	}
	limit, err := r.limit(1, 1000)
	if err != nil {
		return nil, err
	}
	after, err := r.idOf("after")
	if err != nil {
		return nil, err
	}
	users, err := s.guild.members(r.Context(), after, limit)
	return memberObjects(users), err
}

func (s *Server) searchMembers(r *request) (any, error) {
	if err := r.inGuild(); err != nil {
		return nil, err
	}
	limit, err := r.limit(1, 1000)
	if err != nil {
		return nil, err
	}
	users, err := s.guild.named(r.Context(), r.URL.Query().Get("query"), limit)
	return memberObjects(users), err
}

func (s *Server) getMember(r *request) (any, error) {
	if err := r.inGuild(); err != nil {
		return nil, err
	}
	i, err := r.userID()
	if err != nil {
		return nil, err
	}
	u, err := s.guild.user(r.Context(), i)
	if err != nil {
		return nil, instead(err, sql.ErrNoRows, noMember)
	}
	return memberWithUser(u), nil
}

// userID is the user in the path, who may be called @me.
func (r *request) userID() (id, error) {
	if r.PathValue("user") == "@me" {
		return r.me.id, nil
	}
	return r.id("user")
}

func (s *Server) getRoles(r *request) (any, error) { return []object{s.everyone()}, r.inGuild() }

func (s *Server) getRole(r *request) (any, error) {
	i, err := r.id("role")
	if err == nil && i != guildID { // that of everyone
		err = noRole
	}
	if e := r.inGuild(); e != nil {
		err = e
	}
	return s.everyone(), err
}

func (s *Server) getChannel(r *request) (any, error) {
	i, err := r.id("channel")
	if err != nil {
		return nil, err
	}
	c, err := s.channel(r.Context(), i)
	if err != nil {
		return nil, err
	}
	return channelObject(c), nil
}

func (s *Server) channel(ctx context.Context, i id) (channel, error) {
	all, err := s.channels(ctx)
	if err != nil {
		return channel{}, err
	}
	for _, c := range all {
		if c.id == i {
			return c, nil
		}
	}
	return channel{}, noChannel
}

func (s *Server) postTyping(r *request) (any, error) {
	i, err := r.id("channel")
	if err == nil {
		_, err = s.typing(r.Context(), r.me.id, typing{i})
	}
	return nil, err
}
