package message

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

var (
	// ErrNotFound is returned for a message that is not in the channel.
	ErrNotFound = errors.New("message: no such message")
	// ErrQuery is returned for a Query or a Search that asks for nothing that there could be.
	ErrQuery = errors.New("message: the query makes no sense")
	// ErrClosed is returned by what has been closed.
	ErrClosed = errors.New("message: closed")
	// ErrBehind is returned by [Sharded.Place] when a channel may differ in its two stores,
	// and would be read from the other one.
	ErrBehind = errors.New("message: a channel is not the same in both of its stores")
	// ErrClock is returned when a channel holds ids from a future that is too far away: the
	// clock of this node, or of the one that gave them, is wrong.
	ErrClock = errors.New("message: the channel's newest id is far in the future")
)

// BatchError says which messages of a batch were not stored, by their places in the batch;
// all the others were.
type BatchError map[int]error

func (e BatchError) Error() string {
	if len(e) == 0 {
		return "message: nothing failed" // a mistake of who returned it
	}
	first := slices.Min(slices.Collect(maps.Keys(e)))
	return fmt.Sprintf("message: %d of a batch were not stored, the first because: %v", len(e), e[first])
}

// Refusal is why a message was not taken, for its sender. Code is one word that a client may
// act on.
type Refusal struct {
	Code       string
	Message    string
	RetryAfter time.Duration // after which it may be sent again; 0: it will not be taken as it is
	Cause      error         // nil, or what went wrong here
}

// The codes that the pipeline itself gives. What Validate returns may have others.
const (
	CodeLimited     = "RATE_LIMITED" // too many of this sender
	CodeBusy        = "BUSY"         // too many of everybody's are waiting
	CodeUnavailable = "UNAVAILABLE"  // the store does not answer, and may have the message all the same
	CodeNotStored   = "NOT_STORED"   // the store refuses this message
	CodeInvalid     = "INVALID"      // it breaks a rule
)

func (r *Refusal) Error() string {
	text := "message: " + r.Code
	if r.Message != "" {
		text += ": " + r.Message
	}
	if r.Cause != nil {
		text += ": " + r.Cause.Error()
	}
	return text
}

func (r *Refusal) Unwrap() error { return r.Cause }

// NotOwnerError is returned where a message came to a node that does not own its channel.
type NotOwnerError struct {
	Channel, Owner string
}

func (e *NotOwnerError) Error() string {
	return fmt.Sprintf("message: channel %q belongs to node %q", e.Channel, e.Owner)
}
