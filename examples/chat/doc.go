// Command chat is a chat server on gatehouse: one guild with channels, messages
// that survive a restart, typing, presence, a page to use it with, and as much
// of Discord's HTTP API as a small bot needs. It is the reference for putting
// the parts together; see README.md.
//
// main.go starts and stops it, server.go joins the parts, guild.go is who and
// what there is, messages.go and its like are what users do, commands.go has
// the page ask for it and api.go bots, and events.go is how Discord's clients
// want to be told.
package main
