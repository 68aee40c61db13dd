// Package nats has a message.Queue on NATS JetStream.
package nats
