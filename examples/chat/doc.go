// Command chat is a chat server on gatehouse: one guild with channels, messages
// that survive a restart, typing, presence, and a page to use it with. It is
// the reference for putting the parts together; see README.md.
//
// main.go starts and stops it, server.go joins the parts, guild.go is who and
// what there is, commands.go what a client may ask for, and events.go how
// Discord's clients want to be told.
package main
