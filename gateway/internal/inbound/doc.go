// Package inbound parses what a WebSocket client sends: frames as RFC 6455 has
// them, in whatever pieces they arrive. It does no I/O and knows no time.
//
// A [Parser] gives the events that github.com/coder/websocket's reader, without
// compression, and the gateway's limits above it give for the same bytes. How the
// bytes were cut changes nothing. Between two messages it keeps nothing; what has
// begun is kept in a buffer that grows with what arrived, never with what a
// header announces.
package inbound
