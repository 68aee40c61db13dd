package main

import (
	"regexp"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// The names by which the services find each other: it is all that they have in common.
const (
	brokerName   = "services" // of what is told, the sessions and who is online
	queueSaid    = "said"     // gateway → messages: what is to be stored
	queueStored  = "stored"   // messages → notifications: what was
	bucket       = "members"  // who has ever been here
	channel      = "general"  // there is one
	channelTopic = "channel:" + channel
)

// lease is how long a process that says nothing lives: so long after one was killed, others
// go on with what it had.
const lease = 3 * time.Second

// presenceOptions are the same wherever who is online is known.
func presenceOptions(store presence.Store) presence.Options {
	return presence.Options{
		Store: store, Lease: lease, Backoff: 5 * time.Second, Grace: 10 * time.Second,
		Blip: -1, // notifications have to know at once who has lost the connection
	}
}

// isName says who may be somebody: NATS takes such names for keys.
var isName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString
