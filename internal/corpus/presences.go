package corpus

import "time"

// presence is PRESENCE_UPDATE: half of all say no more than that somebody came, left or went idle.
func presence(w *world, g *guild) object {
	m := pick(&w.random, g.members)
	who := object{"id", m.id}
	if w.in(6) { // the name or the picture has changed: all of it is there
		who = userObject(m.user)
	}
	status := pick(&w.random, []string{"online", "online", "online", "idle", "idle", "dnd", "offline"})
	var devices object
	if status != "offline" {
		if w.in(65) {
			devices = devices.with("desktop", status)
		}
		if w.in(40) || len(devices) == 0 {
			devices = devices.with("mobile", status)
		}
		if w.in(8) {
			devices = devices.with("web", status)
		}
	}
	return object{"user", who, "status", status, "guild_id", g.id, "client_status", devices, "activities", w.activities(m, status)}
}

func (w *world) activities(m member, status string) (l list) {
	if status == "offline" {
		return nil
	}
	began := w.now.Add(-time.Duration(w.below(7200)) * time.Second).UnixMilli()
	if w.in(25) {
		o := object{"type", 4, "state", w.sentence(w.between(1, 6)), "name", "Custom Status", "id", "custom"}
		if w.in(40) {
			o = o.with("emoji", w.emoji())
		}
		l = append(l, o.with("created_at", began))
	}
	if w.in(28) {
		l = append(l, w.game(began))
	}
	if w.in(12) {
		l = append(l, w.song(m, began))
	}
	return l
}

// game is what half of the players say little of, and half much.
func (w *world) game(began int64) object {
	o := object{"type", 0, "timestamps", object{"start", began}}
	id := w.id(w.before())
	if w.in(50) {
		return o.with("name", w.title(), "id", w.hex(16), "created_at", began+int64(w.below(3000)), "application_id", id)
	}
	assets := object{"small_text", w.title(), "small_image", w.id(w.before()), "large_text", w.title(), "large_image", w.id(w.before())}
	if w.in(40) {
		o = o.with("party", object{"size", list{w.between(1, 3), 4}, "id", w.hex(32)})
	}
	return o.with("state", w.sentence(w.between(1, 4)), "name", w.title(), "id", w.hex(16), "details", w.sentence(w.between(1, 5)),
		"created_at", began+int64(w.below(3000)), "assets", assets, "application_id", id)
}

func (w *world) song(m member, began int64) object {
	return object{"type", 2, "timestamps", object{"start", began, "end", began + int64(w.between(120_000, 300_000))},
		"sync_id", w.base62(22), "state", w.title(), "session_id", w.hex(32), "party", object{"id", "spotify:" + m.id},
		"name", "Spotify", "id", "spotify:1", "flags", 48, "details", w.sentence(w.between(1, 5)), "created_at", began,
		"assets", object{"large_text", w.sentence(w.between(1, 4)), "large_image", "spotify:ab67616d0000b273" + w.hex(24)}}
}
