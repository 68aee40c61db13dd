package message

import "time"

// Message is what somebody said in a channel.
type Message struct {
	ID      ID     // given by the pipeline, and by nobody else
	Channel string // not empty
	Author  string
	Content string // what is validated and searched
	Data    []byte // whatever else the application keeps with it, as it is; nil: nothing

	// Nonce is the sender's own name for the message: sent again under it, by the same
	// author in the same channel within Options.NonceWindow, it is still one message.
	// Empty: each time it is sent is a message.
	Nonce string

	Edited time.Time // to the millisecond; zero: never
}
