package gatewaytest

import (
	"encoding/json"
	"fmt"

	"github.com/gatehouse-go/gatehouse/codec"
)

// The opcodes of docs/protocol.md that a test meets.
const (
	OpDispatch       = 0
	OpHeartbeat      = 1
	OpIdentify       = 2
	OpPresenceUpdate = 3
	OpVoiceState     = 4
	OpResume         = 6
	OpReconnect      = 7
	OpRequestMembers = 8
	OpInvalidSession = 9
	OpHello          = 10
	OpHeartbeatACK   = 11
	OpCommand        = 100
	OpReply          = 101
)

// Message is an envelope as a client received it, whatever its encoding was.
type Message struct {
	Op    int
	Type  string          // of a dispatch
	Seq   uint64          // of a dispatch; 0 otherwise
	Place string          // of a dispatch, with ClientOptions.Positions; empty if it has none
	Data  json.RawMessage // JSON, also where it came as MessagePack
}

func (m Message) String() string {
	if m.Op == OpDispatch {
		return fmt.Sprintf("%s s=%d %s", m.Type, m.Seq, m.Data)
	}
	return fmt.Sprintf("op %d %s", m.Op, m.Data)
}

// Decode unmarshals the message's data.
func (m Message) Decode(v any) error { return json.Unmarshal(m.Data, v) }

// theirs are no limits: the bytes come from the server that is tested.
var theirs = codec.Limits{Depth: -1, Elements: -1, String: -1, Output: -1}

// decodeMessage reads an envelope in JSON or, where there is one, by the codec
// of its MessagePack. The result keeps data.
func decodeMessage(packed codec.Codec, data []byte) (m Message, err error) {
	if packed != nil {
		var raw codec.Raw
		if err := packed.Decode(data, &raw); err != nil {
			return m, fmt.Errorf("%w: a message is not MessagePack: %w", ErrProtocol, err)
		}
		if data, err = codec.AppendJSON(nil, raw); err != nil {
			return m, fmt.Errorf("%w: a message has no form in JSON: %w", ErrProtocol, err)
		}
	}
	var in struct {
		Op *int            `json:"op"`
		S  *uint64         `json:"s"`
		T  *string         `json:"t"`
		P  string          `json:"p"`
		D  json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return m, fmt.Errorf("%w: a message does not decode: %w: %q", ErrProtocol, err, data)
	}
	switch {
	case in.Op == nil || in.D == nil && *in.Op == OpDispatch:
		return m, fmt.Errorf("%w: a message lacks op or d: %s", ErrProtocol, data)
	case *in.Op == OpDispatch && (in.S == nil || in.T == nil):
		return m, fmt.Errorf("%w: a dispatch lacks its sequence or type: %s", ErrProtocol, data)
	case *in.Op != OpDispatch && (in.S != nil || in.T != nil):
		return m, fmt.Errorf("%w: only a dispatch has a sequence and a type: %s", ErrProtocol, data)
	}
	m.Op, m.Data, m.Place = *in.Op, in.D, in.P
	if m.Op == OpDispatch {
		m.Type, m.Seq = *in.T, *in.S
	}
	return m, nil
}

// encodeMessage makes what a client sends.
func encodeMessage(msgpack bool, op int, d any) ([]byte, error) {
	data, err := json.Marshal(struct {
		Op int `json:"op"`
		D  any `json:"d"`
	}{op, d})
	if err == nil && msgpack {
		data, err = codec.AppendMsgPackFromJSON(nil, data, theirs)
	}
	return data, err
}
