// Package presence knows who is online: people, not sockets. The devices of a
// user are merged into one status, a reconnect is silent, who is invisible is
// offline for everybody else, and changes are told by topic, collected, as
// what is different.
//
//	t, err := presence.New(presence.Options{
//		Publish: func(topic string, changes []presence.Change) { … }, // tell the topic's members
//	})
//	if err != nil {
//		return err
//	}
//	defer t.Close(ctx)
//	t.Join("guild:7", "ann")                                   // whose changes guild:7 is told
//	t.Set(ctx, presence.Device{User: "ann", Session: "s1", Platform: "web", Status: presence.Idle})
//	t.Leave(ctx, "ann", "s1")                                  // the connection is lost: still here for Options.Grace
//	t.Remove(ctx, "ann", "s1")                                 // signed out: gone at once
//	for p := range t.Online("guild:7") { … }
//
// # How devices are merged
//
// What a person asked for on one device holds for all: invisible before dnd
// before online before idle. So somebody who hides on the phone is not betrayed
// by a forgotten tab. ClientStatus has the same per platform. Activities are
// those of the device that changed last and has some.
//
// # Guarantees
//
//   - Whoever is invisible looks, in every field, like somebody who left when
//     they hid; nothing they do afterwards shows.
//   - A device that lost its connection counts for Options.Grace. If the user is
//     back by then, on that session or another, nobody is told anything.
//   - What a topic is told adds up: applying a Change's Delta to what was told
//     before gives its Presence. A change that is undone within Options.Window is
//     not told.
//   - With a shared [Store], trackers of several nodes see the same people within
//     a window. When a node dies, exactly one other takes over its devices once
//     its lease has ended, by the store's clock, and they leave after their grace
//     period, once. Whoever is back by then, on any node, was never gone.
//   - What a node says of connections of its own counts: if the store, or another
//     node, says that one is lost which is here, that is answered. So a node that
//     was cut off, a clock that is wrong and a message that is late take nobody offline.
//   - A store that has lost everything is filled again, a thousand entries a window.
//   - What it costs is a renewal and a sweep each third of a lease and a question
//     each window, however many are online, and an entry for each change. A
//     connection that is lost for less than Options.Blip, and a Set that changes nothing, cost nothing.
//
// # Non-goals
//
// Nothing is kept over a restart of all nodes: last seen is known for who was
// seen since and is still in a topic; an application that shows it for longer
// keeps it. Publish is called on the node where something happened: what a node did
// in the window before it was killed may have been told by nobody, though each
// tracker knows it. Who may watch whom is the application's: it chooses who joins which
// topic, on the node where the user is, and Options.Topics where that is dead.
package presence
