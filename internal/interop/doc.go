// Package interop proves the protocol with clients that other people wrote, unmodified: only their
// base URL is changed. It is a module of its own so that none of them weighs on a user of gatehouse.
//
// TestBots starts examples/chat as a process, at a socket that outlives it, and a ping-pong bot on each
// library (bots/), with a proxy between them. While pings come at a steady pace, the bot's connection is
// cut five times and the server restarted once. Then everything that the library was sent is looked at,
// before the library itself can hide a repeat: one READY, each sequence once and in order, each ping
// once; and each pong is in the channel once.
//
// The other tests have discordgo in this process, and look at more of what it makes of a gateway:
//
//	srv := start(t, gateway.Limits{HeartbeatInterval: time.Second})
//	discordgo.EndpointGateway = srv.base + "gateway"
//	client, _ := discordgo.New("Bot " + token)
//	err := client.Open()
//	…
//	srv.publish(t, "MESSAGE_CREATE", gateway.IntentGuildMessages, message)
//
// What passes here works with the libraries at the versions in go.mod, package-lock.json and
// requirements.txt, on Unix and over loopback. `make interop` installs what is missing.
package interop
