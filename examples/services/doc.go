// Command services is a chat in four processes that know each other by NATS alone: a
// gateway, which has the connections; messages, which keeps what is said and tells it;
// presence, which knows who is online; and notifications, which keeps what was said for
// those who are not. -service runs one of them. Without it, all four are started, with a
// NATS server, a page, and a proxy in front. See README.md.
package main
