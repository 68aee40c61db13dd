package corpus

import "time"

// message is what MESSAGE_CREATE carries. Its maps are in falling order of their keys but for the
// guild's, which the gateway adds at the end.
func message(w *world, g *guild) object { return w.message(g, pick(&w.random, g.channels), true) }

func (w *world) message(g *guild, c channel, mayReply bool) object {
	m := pick(&w.random, g.members)
	o := object{"type", 0, "tts", false, "timestamp", stamp(w.now)}
	reply := mayReply && w.in(18)
	if reply {
		now := w.now
		w.now = w.now.Add(-time.Duration(w.between(5, 600)) * time.Second)
		referenced := w.message(g, c, false)
		w.now = now
		o[1] = 19
		id := referenced.value("id")
		o = o.with("referenced_message", referenced.without("guild_id", "member"), "pinned", false, "nonce", w.id(w.now),
			"mentions", list{userObject(pick(&w.random, g.members).user)}, "mention_roles", list(nil), "mention_everyone", false,
			"message_reference", object{"type", 0, "message_id", id, "guild_id", g.id, "channel_id", c.id})
	} else {
		o = o.with("referenced_message", nil, "pinned", false)
		if !m.bot {
			o = o.with("nonce", w.id(w.now.Add(-time.Duration(w.between(20, 900))*time.Millisecond)))
		}
		o = o.with("mentions", w.mentions(g), "mention_roles", list(nil), "mention_everyone", false)
	}
	return o.with("member", memberObject(m, false), "id", w.id(w.now), "flags", 0, "embeds", w.embeds(m), "edited_timestamp", nil,
		"content", w.content(g), "components", list(nil), "channel_type", 0, "channel_id", c.id, "author", userObject(m.user),
		"attachments", w.attachments(c), "guild_id", g.id)
}

// content is short for most, long for few, and sometimes only a link or an emoji.
func (w *world) content(g *guild) string {
	switch n := w.below(100); {
	case n < 6:
		return "https://" + w.rare(3) + pick(&w.random, []string{".com/", ".net/", ".org/", ".gg/"}) + w.base62(w.between(6, 24))
	case n < 9:
		return "<:" + w.rare(2) + ":" + w.id(w.before()) + ">"
	case n < 15:
		return "<@" + pick(&w.random, g.members).id + "> " + w.sentence(w.between(1, 12))
	case n < 20:
		return w.sentence(w.between(20, 60))
	case n < 23:
		return ""
	}
	return w.sentence(1 + w.low(22))
}

func (w *world) mentions(g *guild) list {
	if !w.in(8) {
		return nil
	}
	m := pick(&w.random, g.members)
	return list{userObject(m.user).with("member", memberObject(m, false))}
}

// embeds are what bots write in.
func (w *world) embeds(m member) list {
	if !m.bot {
		return nil
	}
	fields := list{}
	for range w.between(0, 3) {
		fields = append(fields, object{"value", w.sentence(w.between(1, 6)), "name", w.title(), "inline", true})
	}
	return list{object{"type", "rich", "title", w.title(), "fields", fields, "description", w.sentence(w.between(4, 20)), "content_scan_version", 0, "color", w.below(1 << 24)}}
}

func (w *world) attachments(c channel) list {
	if !w.in(7) {
		return nil
	}
	id, expires := w.id(w.now), w.now.Unix()
	name := pick(&w.random, []string{"image.png", "image.png", "unknown.png", "IMG_" + w.text("0123456789", 4) + ".jpg", w.rare(3) + ".mp4"})
	url := "/attachments/" + c.id + "/" + id + "/" + name + "?ex=" + hex(expires+86400) + "&is=" + hex(expires) + "&hm=" + w.hex(64) + "&"
	return list{object{"width", w.between(300, 1920), "url", "https://cdn.discordapp.com" + url, "size", w.between(20_000, 4_000_000),
		"proxy_url", "https://media.discordapp.net" + url, "placeholder_version", 1, "placeholder", w.base62(36),
		"id", id, "height", w.between(200, 1200), "filename", name, "content_type", "image/png", "content_scan_version", 2}}
}

// edited is MESSAGE_UPDATE.
func edited(w *world, g *guild) object {
	o := message(w, g)
	o.set("edited_timestamp", stamp(w.now.Add(time.Duration(w.between(2_000, 200_000))*time.Millisecond)))
	return o
}

// deleted is MESSAGE_DELETE: three ids.
func deleted(w *world, g *guild) object {
	return object{"id", w.id(w.now), "channel_id", pick(&w.random, g.channels).id, "guild_id", g.id}
}

var emoji = []string{"👍", "❤️", "😂", "😭", "🔥", "💀", "👀", "🎉", "✅", "🙏", "😮", "💯"}

func (w *world) emoji() object {
	if w.in(55) {
		return object{"name", pick(&w.random, emoji), "id", nil}
	}
	return object{"name", w.rare(w.between(2, 3)), "id", w.id(w.before())}
}

// reacted is MESSAGE_REACTION_ADD.
func reacted(w *world, g *guild) object {
	m := pick(&w.random, g.members)
	return object{"user_id", m.id, "type", 0, "message_id", w.id(w.now), "message_author_id", pick(&w.random, g.members).id,
		"member", memberObject(m, true), "emoji", w.emoji(), "channel_id", pick(&w.random, g.channels).id, "burst", false, "guild_id", g.id}
}

// unreacted is MESSAGE_REACTION_REMOVE.
func unreacted(w *world, g *guild) object {
	return object{"user_id", pick(&w.random, g.members).id, "type", 0, "message_id", w.id(w.now), "emoji", w.emoji(),
		"channel_id", pick(&w.random, g.channels).id, "burst", false, "guild_id", g.id}
}
