package message

import "time"

// Message is what somebody said in a channel.
type Message struct {
	ID      ID     `json:"id"`      // given by the pipeline, and by nobody else
	Channel string `json:"channel"` // not empty
	Author  string `json:"author"`
	Content string `json:"content"`        // what is validated and searched
	Data    []byte `json:"data,omitempty"` // whatever else the application keeps with it, as it is; empty: nothing

	// Nonce is the sender's own name for the message: sent again under it, by the same
	// author in the same channel within Options.NonceWindow, it is still one message.
	// Empty: each time it is sent is a message.
	Nonce string `json:"nonce,omitempty"`

	Edited time.Time `json:"edited,omitzero"` // to the millisecond; zero: never
}
