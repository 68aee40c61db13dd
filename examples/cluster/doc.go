// Command cluster runs a cluster on one machine and lets you break it: nodes that are
// processes of their own, a NATS server that carries events between them and keeps
// their sessions, a proxy that spreads clients over them, and a page that shows
// sessions and events moving, with buttons that drain, kill, cut off and add nodes.
//
// Demo clients count what they are sent: what was lost, came twice or out of order.
// See README.md.
package main
