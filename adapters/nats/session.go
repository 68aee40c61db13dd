package nats

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// session is a record with the node that saved or took it, and its revision; 0: there is none.
type session struct {
	gateway.StoredSession
	by       string
	revision uint64
}

func (s session) kept() bool { return s.revision > 0 && time.Now().Before(s.Expires) }

// A session is a message of the version, who saved it, who has it, whose it is, the microsecond at which it
// is over, and the data to the end. A lease is one of the version and its nanoseconds.
const sessionVersion = 1

var errSessionVersion = fmt.Errorf("it is of a newer version, or no record of ours: %w", gateway.ErrVersion)

func encodeSession(s session) []byte {
	b := make([]byte, 0, 1+4*binary.MaxVarintLen64+len(s.by)+len(s.Node)+len(s.User)+len(s.Data))
	b = append(b, sessionVersion)
	b = appendText(b, s.by)
	b = appendText(b, s.Node)
	b = appendText(b, s.User)
	b = binary.AppendVarint(b, s.Expires.UnixMicro())
	return append(b, s.Data...)
}

// decodeSession keeps b.
func decodeSession(id string, b []byte) (s session, err error) {
	if len(b) == 0 || b[0] != sessionVersion {
		return s, errSessionVersion
	}
	b = b[1:]
	for _, text := range []*string{&s.by, &s.Node, &s.User} {
		var ok bool
		if *text, b, ok = cutText(b); !ok {
			return s, errSessionVersion
		}
	}
	micros, n := binary.Varint(b)
	if n <= 0 {
		return s, errSessionVersion
	}
	s.ID, s.Expires, s.Data = id, time.UnixMicro(micros), b[n:]
	return s, nil
}
