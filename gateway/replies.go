package gateway

import (
	"bytes"
	"encoding/json"
	"slices"
)

// replies are the last replies of a session: a client that lost its connection
// before the reply came asks again on the next one, with the same nonce, and is
// given what it missed instead of having the command run twice. The zero value
// remembers nothing. It is pure; the session's lock guards it.
type replies struct {
	last  []reply // oldest first
	bytes int
}

// reply is what a command was answered with, and on which connection it came.
type reply struct {
	Conn    uint64          `json:"-"`
	Command string          `json:"command"`
	Nonce   json.RawMessage `json:"nonce"`
	Data    json.RawMessage `json:"data"` // the d of op 101, canonical
}

const (
	mostReplies    = 32
	mostReplyBytes = 64 << 10 // of one session's, together; one that is larger than a quarter is not remembered
)

func (r *replies) add(in reply) {
	size := len(in.Nonce) + len(in.Data)
	if bytes.Equal(in.Nonce, []byte("null")) || size > mostReplyBytes/4 {
		return
	}
	r.last = append(r.last, in)
	r.bytes += size
	gone := 0
	for len(r.last)-gone > mostReplies || r.bytes > mostReplyBytes {
		r.bytes -= len(r.last[gone].Nonce) + len(r.last[gone].Data)
		gone++
	}
	r.last = slices.Delete(r.last, 0, gone)
}

// find returns what a command was answered with that came with the same nonce
// on an earlier connection, or nil. On one connection nonces are the client's
// own affair.
func (r *replies) find(conn uint64, command string, nonce []byte) []byte {
	for _, old := range slices.Backward(r.last) {
		if old.Conn != conn && old.Command == command && bytes.Equal(old.Nonce, nonce) {
			return old.Data
		}
	}
	return nil
}

// restore fills what remembers nothing. The connections are another gateway's:
// no connection of this one is among them.
func (r *replies) restore(last []reply) {
	for _, old := range last {
		old.Conn = 0
		r.add(old)
	}
}
