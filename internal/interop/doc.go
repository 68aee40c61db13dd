// Package interop proves the protocol with clients that other people wrote, unmodified: only their
// base URL is changed. It is a module of its own so that none of them weighs on a user of gatehouse.
//
// There is a file per client library, and server_test.go, the gateway that all of them connect to:
//
//	srv := start(t, time.Second)
//	discordgo.EndpointGateway = srv.base + "gateway"
//	client, _ := discordgo.New("Bot " + token)
//	err := client.Open()
//	…
//	srv.publish(t, "MESSAGE_CREATE", gateway.IntentGuildMessages, message)
//
// What passes here works with the library at the version in go.mod, on a server in the same process
// and over loopback. What a library does beside the gateway, its HTTP routes above all, is not tested here.
package interop
