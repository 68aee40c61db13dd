// Package corpus makes the events that a Discord gateway typically sends, for tests and benchmarks:
// the data of each (the d of its envelope) as JSON, in the shape, the order of keys and about the
// proportion of the real ones.
//
//	for _, e := range corpus.HeldOut() {
//		body, err := codec.AppendMsgPackFromJSON(nil, e.Data, codec.Limits{})
//		…
//	}
//
// [Training] is what a dictionary may learn from, [HeldOut] what it is then judged by. They share no id
// and no hash: other people, guilds, channels, roles, games and songs. The events of the first are of
// 2025, those of the second of the autumn of 2026, since a dictionary is older than what it compresses.
// They share the shapes and the language: common words, emoji, turns of phrase. Sentences and names are
// put together anew from the same words and syllables, so that the shortest of them occur in both.
//
// # Guarantees
//
// The same events on every machine and with every version of Go: the random numbers are this
// package's own. The slices are new at every call and are the caller's.
//
// # What it is not
//
// Recorded traffic. No event of a real person is in it, and so its figures are those of a model. What
// entropy there is in ids (17 to 19 digits of time, machine and counter), hashes, times and rare words
// is generated as such; but real text has more languages, links and odd turns than these sentences,
// and real clients send kinds of events that are missing here. The proportions are an estimate of what
// a bot with all intents sees, the presences of many people included; no statistics of a real gateway
// were found. So whoever reports a mean over all events reports the figures by type too.
package corpus
