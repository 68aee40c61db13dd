package corpus

import (
	"strconv"
	"time"
)

func channelObject(w *world, c channel) object {
	o := object{"version", w.now.UnixMilli(), "type", c.kind}
	if c.kind == 0 {
		o = o.with("topic", c.topic, "rate_limit_per_user", 0)
	} else {
		o = o.with("user_limit", 0, "rtc_region", nil, "bitrate", 64000, "rate_limit_per_user", 0)
	}
	var overwrites list
	for range w.low(4) {
		overwrites = append(overwrites, object{"type", 0, "id", w.id(w.before()), "deny", bits(w), "allow", bits(w)})
	}
	return o.with("position", w.below(20), "permission_overwrites", overwrites, "parent_id", c.parent, "nsfw", false, "name", c.name,
		"last_message_id", w.id(w.now.Add(-time.Duration(w.low(1e6))*time.Second)), "id", c.id, "icon_emoji", nil, "flags", 0)
}

// bits are permissions: a number as text.
func bits(w *world) string {
	if w.in(50) {
		return "0"
	}
	return strconv.Itoa(1 << w.between(3, 40))
}

// moved is CHANNEL_UPDATE.
func moved(w *world, g *guild) object {
	return channelObject(w, pick(&w.random, g.channels)).with("guild_id", g.id)
}

func roleObject(w *world, r role, position int) object {
	return object{"version", w.now.UnixMilli(), "unicode_emoji", nil, "tags", object{}, "position", position, "permissions", strconv.FormatUint(w.next()>>14, 10),
		"name", r.name, "mentionable", false, "managed", false, "id", r.id, "icon", nil, "hoist", w.in(30), "flags", 0,
		"colors", object{"tertiary_color", nil, "secondary_color", nil, "primary_color", r.color}, "color", r.color}
}

// created is GUILD_CREATE of a small guild, as it comes after READY.
func created(w *world, g *guild) object {
	var roles, channels, members, presences list
	for i, r := range g.roles {
		roles = append(roles, roleObject(w, r, i))
	}
	for _, c := range g.channels {
		channels = append(channels, channelObject(w, c))
	}
	for _, m := range g.members {
		members = append(members, memberObject(m, true))
		if w.in(30) {
			presences = append(presences, object{"user", object{"id", m.id}, "status", "online", "client_status", object{"desktop", "online"}, "activities", list(nil)})
		}
	}
	return object{"verification_level", 1, "vanity_url_code", nil, "unavailable", false, "threads", list(nil), "system_channel_id", g.channels[0].id,
		"system_channel_flags", 0, "stickers", list(nil), "stage_instances", list(nil), "soundboard_sounds", list(nil), "safety_alerts_channel_id", nil,
		"rules_channel_id", nil, "roles", roles, "region", "us-central", "public_updates_channel_id", nil, "presences", presences,
		"premium_tier", w.below(4), "premium_subscription_count", w.below(20), "premium_progress_bar_enabled", false, "preferred_locale", "en-US",
		"owner_id", g.members[0].id, "nsfw_level", 0, "nsfw", false, "name", g.name, "mfa_level", 0, "members", members, "member_count", len(members),
		"max_video_channel_users", 25, "max_stage_video_channel_users", 50, "max_members", 500000, "large", false, "joined_at", stamp(w.before()),
		"icon", g.icon, "id", g.id, "home_header", nil, "guild_scheduled_events", list(nil), "features", list{"COMMUNITY", "NEWS"}, "explicit_content_filter", 2,
		"emojis", list(nil), "embedded_activities", list(nil), "discovery_splash", nil, "description", nil, "default_message_notifications", 1,
		"channels", channels, "banner", nil, "application_id", nil, "afk_timeout", 300, "afk_channel_id", nil}
}

// interaction is INTERACTION_CREATE: a slash command.
func interaction(w *world, g *guild) object {
	m, c := pick(&w.random, g.members), pick(&w.random, g.channels)
	var options list
	for range w.below(3) {
		options = append(options, object{"value", w.sentence(w.between(1, 5)), "type", 3, "name", w.rare(2)})
	}
	owner := w.id(w.before())
	return object{"version", 1, "type", 2, "token", w.base62(180), "member", memberObject(m, true).with("permissions", strconv.FormatUint(w.next()>>14, 10)),
		"locale", "en-US", "id", w.id(w.now), "guild_locale", "en-US", "guild_id", g.id,
		"guild", object{"locale", "en-US", "id", g.id, "features", list{"COMMUNITY", "NEWS"}},
		"entitlements", list(nil), "entitlement_sku_ids", list(nil), "data", object{"type", 1, "options", options, "name", w.rare(2), "id", w.id(w.before())},
		"context", 0, "channel_id", c.id, "channel", channelObject(w, c).with("permissions", "2248473465835073", "guild_id", g.id),
		"authorizing_integration_owners", object{"0", g.id}, "attachment_size_limit", 10485760, "application_id", owner, "app_permissions", "2222085723512896"}
}

func hex(n int64) string { return strconv.FormatInt(n, 16) }
