package corpus

import "time"

// Event is one event as it would be published.
type Event struct {
	Type string // "MESSAGE_CREATE"
	Data []byte // one JSON object
}

// mix says how many of a thousand events are of which type.
var mix = []struct {
	kind  string
	share int
	make  func(*world, *guild) object
}{
	{"PRESENCE_UPDATE", 380, presence},
	{"MESSAGE_CREATE", 230, message},
	{"TYPING_START", 130, typing},
	{"VOICE_STATE_UPDATE", 55, voice},
	{"GUILD_MEMBER_UPDATE", 45, changed},
	{"MESSAGE_REACTION_ADD", 45, reacted},
	{"MESSAGE_UPDATE", 30, edited},
	{"MESSAGE_DELETE", 20, deleted},
	{"GUILD_MEMBER_ADD", 20, joined},
	{"GUILD_MEMBER_REMOVE", 12, left},
	{"INTERACTION_CREATE", 12, interaction},
	{"MESSAGE_REACTION_REMOVE", 8, unreacted},
	{"CHANNEL_UPDATE", 8, moved},
	{"GUILD_CREATE", 5, created},
}

// Training returns 6,000 events of 2025.
func Training() []Event {
	return events(newWorld(1, date(2025, time.January), date(2026, time.January), 2000), 6000)
}

// HeldOut returns 4,000 events of October and November 2026, in which nobody and nothing of [Training] occurs.
func HeldOut() []Event {
	return events(newWorld(2, date(2026, time.October), date(2026, time.December), 1300), 4000)
}

func date(year int, month time.Month) time.Time {
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
}

func events(w *world, n int) []Event {
	all := make([]Event, 0, n)
	for range n {
		w.tick()
		g := &w.guilds[w.below(len(w.guilds))]
		at := w.below(1000)
		for _, m := range mix {
			if at -= m.share; at < 0 {
				all = append(all, Event{m.kind, render(m.make(w, g))})
				break
			}
		}
	}
	return all
}
