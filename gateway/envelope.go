package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"sync"

	"github.com/gatehouse-go/gatehouse/codec"
)

// opcode is the envelope's "op". docs/protocol.md has the table.
type opcode int

const (
	opDispatch       opcode = 0
	opHeartbeat      opcode = 1
	opIdentify       opcode = 2
	opPresenceUpdate opcode = 3
	opVoiceState     opcode = 4
	opResume         opcode = 6
	opReconnect      opcode = 7
	opRequestMembers opcode = 8
	opInvalidSession opcode = 9
	opHello          opcode = 10
	opHeartbeatACK   opcode = 11
	opCommand        opcode = 100
	opReply          opcode = 101
)

// envelope is an inbound message: {op, d} and whatever else, which is ignored.
type envelope struct {
	op    opcode
	data  json.RawMessage // nil if absent
	plain bool            // a heartbeat as nearly all are: it has been read
	read  beat
}

var (
	errNotObject = errors.New("message is not an object")
	errNoOpcode  = errors.New("op is not an integer")
)

// messages are what binary messages become JSON in.
var messages = sync.Pool{New: func() any { return new([]byte) }}

// decodeEnvelope reads a message, of which the envelope keeps nothing. Whatever its encoding, it becomes JSON first,
// under the limits: everything behind this line reads one form only.
func decodeEnvelope(f *form, message []byte, limits codec.Limits) (envelope, error) {
	if f.msgpack {
		buf := messages.Get().(*[]byte)
		defer messages.Put(buf)
		var err error
		if *buf, err = codec.AppendJSONFromMsgPack((*buf)[:0], message, limits); err != nil {
			return envelope{}, err
		}
		message = *buf
	}
	if b, ok := plainBeat(message); ok {
		return envelope{op: opHeartbeat, plain: true, read: b}, nil
	}
	if !f.msgpack {
		if err := codec.CheckJSON(message, limits); err != nil {
			return envelope{}, err
		}
	}
	if trimmed := bytes.TrimLeft(message, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return envelope{}, errNotObject
	}
	var raw struct {
		Op *number         `json:"op"`
		D  json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(message, &raw); err != nil {
		return envelope{}, err
	}
	if raw.Op == nil {
		return envelope{}, errNoOpcode
	}
	op, ok := raw.Op.integer()
	if !ok || op > math.MaxInt32 {
		return envelope{}, errNoOpcode
	}
	return envelope{op: opcode(op), data: raw.D}, nil
}

// number is a JSON number that may have been written as a float: libraries of
// dynamic languages send 0.0. Null is zero.
type number float64

// integer returns the number if it is whole, not negative and exact.
func (n number) integer() (uint64, bool) {
	f := float64(n)
	if f < 0 || f != math.Trunc(f) || f > 1<<53 {
		return 0, false
	}
	return uint64(f), true
}

// appendMessage appends a whole frame with an envelope that is not a dispatch.
// d is canonical JSON; nil is null.
func appendMessage(dst []byte, f *form, op opcode, d []byte) []byte {
	return appendEnvelope(dst, f, op, d, "", 0)
}

// appendEnvelope appends a whole frame. Only a dispatch has a type and a sequence.
func appendEnvelope(dst []byte, f *form, op opcode, d []byte, typ string, seq uint64) []byte {
	if d == nil {
		d = []byte("null")
	}
	payload := appendPayload(make([]byte, 0, len(d)+len(typ)+48), f, op, d, typ, seq, "")
	dst = appendFrameHeader(dst, f.frame(), len(payload))
	return append(dst, payload...)
}

// appendPayload appends an envelope, its sequence first so that all behind it
// can be shared. A dispatch in a form with places has its own, or null.
func appendPayload(dst []byte, f *form, op opcode, d []byte, typ string, seq uint64, place string) []byte {
	if !f.msgpack {
		return appendPayloadJSON(dst, f, op, d, typ, seq, place)
	}
	return appendPayloadMsgPack(dst, f, op, d, typ, seq, place)
}

func appendPayloadJSON(dst []byte, f *form, op opcode, d []byte, typ string, seq uint64, place string) []byte {
	if op == opDispatch {
		dst = appendSequence(dst, f, seq)
	} else {
		dst = append(dst, `{"s":null,`...)
	}
	switch {
	case !f.places || op != opDispatch:
	case place == "":
		dst = append(dst, `"p":null,`...)
	default:
		dst = append(dst, `"p":"`...)
		dst = append(dst, place...)
		dst = append(dst, `",`...)
	}
	dst = append(dst, `"op":`...)
	dst = strconv.AppendInt(dst, int64(op), 10)
	if op == opDispatch {
		dst = append(dst, `,"t":"`...)
		dst = append(dst, typ...)
		dst = append(dst, `","d":`...)
	} else {
		dst = append(dst, `,"t":null,"d":`...)
	}
	dst = append(dst, d...)
	return append(dst, '}')
}

func appendPayloadMsgPack(dst []byte, f *form, op opcode, d []byte, typ string, seq uint64, place string) []byte {
	if op == opDispatch {
		dst = appendSequence(dst, f, seq)
	} else {
		dst = append(dst, 0x84, 0xa1, 's', 0xc0)
	}
	switch {
	case !f.places || op != opDispatch:
	case place == "":
		dst = append(dst, 0xa1, 'p', msgPackNil)
	default:
		dst = appendMsgPackString(append(dst, 0xa1, 'p'), place)
	}
	dst = append(dst, 0xa2, 'o', 'p', byte(op)) // all of them are below 128
	dst = append(dst, 0xa1, 't')
	if op == opDispatch {
		dst = appendMsgPackString(dst, typ)
	} else {
		dst = append(dst, 0xc0)
	}
	dst = append(dst, 0xa1, 'd')
	return f.appendBody(dst, d)
}
