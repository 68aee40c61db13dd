package gateway

// Intent is a set of event groups that a client asks for in Identify, with
// Discord's bits. An event carries the bits of which a session needs one.
type Intent uint64

// Discord's intents.
const (
	IntentGuilds                 Intent = 1 << 0
	IntentGuildMembers           Intent = 1 << 1
	IntentGuildModeration        Intent = 1 << 2
	IntentGuildExpressions       Intent = 1 << 3
	IntentGuildIntegrations      Intent = 1 << 4
	IntentGuildWebhooks          Intent = 1 << 5
	IntentGuildInvites           Intent = 1 << 6
	IntentGuildVoiceStates       Intent = 1 << 7
	IntentGuildPresences         Intent = 1 << 8
	IntentGuildMessages          Intent = 1 << 9
	IntentGuildMessageReactions  Intent = 1 << 10
	IntentGuildMessageTyping     Intent = 1 << 11
	IntentDirectMessages         Intent = 1 << 12
	IntentDirectMessageReactions Intent = 1 << 13
	IntentDirectMessageTyping    Intent = 1 << 14
	IntentMessageContent         Intent = 1 << 15
	IntentGuildScheduledEvents   Intent = 1 << 16
	IntentAutoModConfiguration   Intent = 1 << 20
	IntentAutoModExecution       Intent = 1 << 21
	IntentGuildMessagePolls      Intent = 1 << 24
	IntentDirectMessagePolls     Intent = 1 << 25
)

// maxIntents is the widest set a client may send. Bits that nobody has named
// yet are allowed, since libraries are newer than servers; a value that no
// 53-bit client could have meant is not.
const maxIntents = 1<<53 - 1

// sees reports whether a session with these intents is shown an event that
// carries the given ones.
func (i Intent) sees(event Intent) bool { return event == 0 || i&event != 0 }

// applicationFlags are Discord's flags of an application that may have those of
// the intents that need leave: who is let in with one has it. disnake refuses to
// ask for members without.
func (i Intent) applicationFlags() (flags int) {
	for intent, limited := range map[Intent]int{IntentGuildPresences: 1 << 13, IntentGuildMembers: 1 << 15, IntentMessageContent: 1 << 19} {
		if i&intent != 0 {
			flags |= limited
		}
	}
	return flags
}
