package codecs

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// made is events with ids, names and words that another seed does not have.
func made(seed uint64, n int) (events []Event) {
	rng := rand.New(rand.NewPCG(seed, 7))
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	id := func() string {
		return fmt.Sprint(1_100_000_000_000_000_000 + 200_000_000_000_000_000*seed + rng.Uint64N(1<<57))
	}
	word := func() string {
		var b strings.Builder
		for range 1 + rng.IntN(4) {
			b.WriteString(pick("ka", "re", "mo", "ti", "sun", "la", "ber", "do", "ne", "vi"))
		}
		return b.String()
	}
	for range n {
		guild, channel, user := id(), id(), id()
		author := fmt.Sprintf(`{"username":%q,"public_flags":0,"id":%q,"global_name":%q,"discriminator":"0","avatar":"%016x%016x"}`, word(), user, word(), rng.Uint64(), rng.Uint64())
		at := fmt.Sprintf("2026-%02d-%02dT%02d:%02d:%02d.%06d+00:00", 1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60), rng.IntN(60), rng.IntN(1e6))
		kind := pick("MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_CREATE", "PRESENCE_UPDATE", "PRESENCE_UPDATE", "TYPING_START", "MESSAGE_DELETE")
		data := ""
		switch kind {
		case "MESSAGE_CREATE":
			text := make([]string, 2+rng.IntN(20))
			for i := range text {
				text[i] = word()
			}
			data = fmt.Sprintf(`{"type":0,"tts":false,"timestamp":%q,"pinned":false,"nonce":%q,"mentions":[],"mention_roles":[],"mention_everyone":false,"member":{"roles":[%q,%q],"premium_since":null,"nick":null,"mute":false,"joined_at":%q,"flags":0,"deaf":false},"id":%q,"flags":0,"embeds":[],"edited_timestamp":null,"content":%q,"components":[],"channel_id":%q,"author":%s,"attachments":[],"guild_id":%q}`,
				at, id(), id(), id(), at, id(), strings.Join(text, " "), channel, author, guild)
		case "PRESENCE_UPDATE":
			data = fmt.Sprintf(`{"user":{"id":%q},"status":%q,"guild_id":%q,"client_status":{"desktop":"online"},"activities":[]}`, user, pick("online", "idle", "dnd", "offline"), guild)
		case "TYPING_START":
			data = fmt.Sprintf(`{"user_id":%q,"timestamp":%d,"channel_id":%q,"guild_id":%q}`, user, 1_790_000_000+rng.IntN(1e7), channel, guild)
		default:
			data = fmt.Sprintf(`{"id":%q,"channel_id":%q,"guild_id":%q}`, id(), channel, guild)
		}
		events = append(events, Event{kind, []byte(data)})
	}
	return events
}

// Event is one event as it would be published.
type Event struct {
	Type string
	Data []byte // JSON
}
