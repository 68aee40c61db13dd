package inbound

// Kind is what has happened.
type Kind uint8

const (
	None    Kind = iota // more bytes are needed
	Text                // a message; Data is its payload. Not checked for UTF-8
	Binary              // likewise
	Ping                // Data is its payload
	Pong                // likewise
	Close               // with a code that may be sent, or without one; Data is its payload
	TooBig              // the message that arrives is over the limit: the rest of it is dropped
	Endless             // the message that arrives costs more bytes than it may, and has no end; told once
	Broken              // a breach of the protocol; Reason says which
)

// Event is what a Parser found. After Close and Broken nothing follows.
type Event struct {
	Kind   Kind
	Data   []byte // until the next call of Next
	Reason string
}

// Limits bound what a client may send.
type Limits struct {
	Message int // bytes of a message's payload
	Wire    int // bytes of frames since the last message, ping or pong: more is Endless
}
