// Command chat is a chat server on gatehouse: one guild with channels, messages
// that survive a restart, files, typing, presence, a page to use it with, and as
// much of Discord's HTTP API as a small bot needs. It is the reference for putting
// the parts together; see README.md.
//
// It is package server with its flags: messages are in a SQLite file. The command
// in examples/backends keeps them elsewhere.
package main
