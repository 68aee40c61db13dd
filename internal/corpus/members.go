package corpus

// userObject is a user as the gateway sends one: its maps are in falling order of their keys.
func userObject(u *user) object {
	o := object{"username", u.name, "public_flags", u.flags, "primary_guild", nil, "id", u.id, "global_name", u.global,
		"display_name_styles", nil, "discriminator", "0", "collectibles", nil, "clan", nil}
	if u.bot {
		o = o.with("bot", true)
	}
	return o.with("avatar_decoration_data", u.decorated, "avatar", u.avatar)
}

// memberObject is a member, with its user or without.
func memberObject(m member, withUser bool) object {
	var o object
	if withUser {
		o = object{"user", userObject(m.user)}
	}
	return o.with("roles", m.roles, "premium_since", m.premium, "pending", false, "nick", m.nick, "mute", false,
		"joined_at", m.joined, "flags", m.flags, "deaf", false, "communication_disabled_until", nil,
		"banner", nil, "avatar", m.avatar)
}

// joined is GUILD_MEMBER_ADD: somebody who was not there before.
func joined(w *world, g *guild) object {
	m := member{user: w.newUser(), joined: stamp(w.now)}
	return object{"user", userObject(m.user), "unusual_dm_activity_until", nil, "roles", list(nil), "premium_since", nil,
		"pending", w.in(50), "nick", nil, "mute", false, "joined_at", m.joined, "guild_id", g.id, "flags", 0,
		"deaf", false, "communication_disabled_until", nil, "banner", nil, "avatar", nil}
}

// left is GUILD_MEMBER_REMOVE.
func left(w *world, g *guild) object {
	return object{"user", userObject(pick(&w.random, g.members).user), "guild_id", g.id}
}

// changed is GUILD_MEMBER_UPDATE: roles, a nickname or an avatar.
func changed(w *world, g *guild) object {
	m := pick(&w.random, g.members)
	if w.in(60) {
		m.roles = append(m.roles[:len(m.roles):len(m.roles)], pick(&w.random, g.roles).id)
	}
	return object{"user", userObject(m.user), "unusual_dm_activity_until", nil, "roles", m.roles, "premium_since", m.premium,
		"pending", false, "nick", m.nick, "joined_at", m.joined, "guild_id", g.id, "flags", m.flags,
		"communication_disabled_until", nil, "banner", nil, "avatar", m.avatar}
}

// typing is TYPING_START.
func typing(w *world, g *guild) object {
	m := pick(&w.random, g.members)
	return object{"user_id", m.id, "timestamp", w.now.Unix(), "member", memberObject(m, true),
		"channel_id", pick(&w.random, g.channels).id, "guild_id", g.id}
}

// voice is VOICE_STATE_UPDATE: in a third of all, somebody leaves.
func voice(w *world, g *guild) object {
	m := pick(&w.random, g.members)
	var where any = pick(&w.random, g.channels).id
	if w.in(33) {
		where = nil
	}
	o := object{"member", memberObject(m, true), "user_id", m.id, "suppress", false}
	if w.in(15) {
		o = o.with("self_stream", true)
	}
	return o.with("session_id", w.hex(32), "self_video", w.in(5), "self_mute", w.in(40), "self_deaf", w.in(20),
		"request_to_speak_timestamp", nil, "mute", false, "guild_id", g.id, "deaf", false, "channel_id", where)
}
