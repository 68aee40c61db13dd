package server

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/presence"
)

// The shapes below are Discord's. Fields that libraries die without are there,
// with nothing in them, even if this chat has no use for them.

type object = map[string]any

var none = []any{} // an empty list in JSON, not null

// stamp is a time as Discord writes it: with microseconds and a zone.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000+00:00") }

func userObject(u user) object {
	return object{"id": u.id, "username": u.name, "discriminator": "0", "global_name": nil, "avatar": nil, "bot": u.bot, "public_flags": 0}
}

// selfObject is what a user is told of themself.
func selfObject(u user) object {
	o := userObject(u)
	o["verified"], o["mfa_enabled"], o["email"], o["locale"], o["flags"] = true, false, nil, "en-US", 0
	return o
}

func memberObject(u user) object {
	return object{"roles": none, "joined_at": stamp(u.joined), "nick": nil, "deaf": false, "mute": false, "pending": false, "flags": 0}
}

func memberWithUser(u user) object {
	m := memberObject(u)
	m["user"] = userObject(u)
	return m
}

func channelObject(c channel) object {
	o := object{
		"id": c.id, "guild_id": guildID, "type": 0, "name": c.name, "position": c.position, "topic": nil, "nsfw": false,
		"parent_id": nil, "permission_overwrites": none, "rate_limit_per_user": 0, "last_message_id": nil, "flags": 0,
	}
	if c.last != 0 {
		o["last_message_id"] = c.last
	}
	return o
}

// messageObject is a message whose files are at base.
func messageObject(m message.Message, author user, base string) object {
	o := object{
		"id": id(m.ID), "channel_id": m.Channel, "guild_id": guildID, "author": userObject(author), "member": memberObject(author),
		"content": m.Content, "timestamp": stamp(id(m.ID).time()), "edited_timestamp": nil, "tts": false, "mention_everyone": false,
		"mentions": none, "mention_roles": none, "attachments": attachmentObjects(base, extraOf(m).Files), "embeds": none, "components": none, "pinned": false, "type": 0, "flags": 0,
	}
	if !m.Edited.IsZero() {
		o["edited_timestamp"] = stamp(m.Edited)
	}
	return o
}

func emojiObject(emoji string) object { return object{"id": nil, "name": emoji} }

func reactionObjects(given []reaction) []object {
	all := make([]object, len(given))
	for i, r := range given {
		all[i] = object{
			"emoji": emojiObject(r.emoji), "count": r.count, "count_details": object{"burst": 0, "normal": r.count},
			"me": r.me, "me_burst": false, "burst_colors": none,
		}
	}
	return all
}

func presenceObject(_ string, p presence.Presence) any {
	o := object{"user": object{"id": p.User}, "guild_id": guildID, "status": p.Status, "activities": p.Activities, "client_status": p.ClientStatus}
	if p.Activities == nil {
		o["activities"] = json.RawMessage("[]")
	}
	if p.ClientStatus == nil {
		o["client_status"] = object{}
	}
	return o
}

// everyone is the role that all members have; its id is the guild's.
func (s *Server) everyone() object {
	return object{
		"id": guildID, "name": "@everyone", "color": 0, "colors": object{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil},
		"hoist": false, "icon": nil, "unicode_emoji": nil, "position": 0, "permissions": s.permissions(), "managed": false, "mentionable": false, "flags": 0,
	}
}

// permissions are Discord's bits of what members may: create channels (4), react
// (6), see (10), send (11) and read back (16) messages, and, where they are kept,
// attach files (15). Embeds are not kept here.
func (s *Server) permissions() string {
	bits := 1<<4 | 1<<6 | 1<<10 | 1<<11 | 1<<16
	if s.media != nil {
		bits |= 1 << 15
	}
	return strconv.Itoa(bits)
}

// guildOwner is nobody, with an id that libraries accept.
const guildOwner = guildID

// guildObject is the guild itself.
func (s *Server) guildObject() object {
	return object{
		"id": guildID, "name": guildName, "owner_id": guildOwner, "icon": nil, "description": nil, "splash": nil, "discovery_splash": nil, "banner": nil,
		"roles": []any{s.everyone()}, "features": none, "emojis": none, "stickers": none, "preferred_locale": "en-US",
		"application_id": nil, "afk_channel_id": nil, "afk_timeout": 300, "system_channel_id": nil, "system_channel_flags": 0,
		"rules_channel_id": nil, "public_updates_channel_id": nil, "safety_alerts_channel_id": nil, "vanity_url_code": nil,
		"verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0, "nsfw": false,
		"premium_tier": 0, "premium_subscription_count": 0, "premium_progress_bar_enabled": false, "widget_enabled": false,
		"max_presences": nil, "max_members": 500_000, "max_video_channel_users": 0,
	}
}

// guildCreate is the guild as one of its members sees it.
func (s *Server) guildCreate(ctx context.Context, me user, channels []channel) (gateway.Event, error) {
	users, err := s.guild.users(ctx)
	if err != nil {
		return gateway.Event{}, err
	}
	g := s.guildObject()
	g["unavailable"], g["large"], g["joined_at"], g["member_count"] = false, false, stamp(me.joined), len(users)
	g["channels"], g["members"] = channelObjects(channels), memberObjects(users)
	for _, nothing := range []string{"voice_states", "threads", "stage_instances", "guild_scheduled_events", "soundboard_sounds"} {
		g[nothing] = none
	}
	here := none
	for p := range s.gw.Presence().Online(topic) {
		here = append(here, presenceObject(topic, p))
	}
	g["presences"] = here
	return gateway.Event{Type: "GUILD_CREATE", Data: g, Intent: gateway.IntentGuilds}, nil
}

func channelObjects(channels []channel) []object {
	all := make([]object, len(channels))
	for i, c := range channels {
		all[i] = channelObject(c)
	}
	return all
}

func memberObjects(users []user) []object {
	all := make([]object, len(users))
	for i, u := range users {
		all[i] = memberWithUser(u)
	}
	return all
}
