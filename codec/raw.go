package codec

import (
	"bytes"

	"github.com/vmihailenco/msgpack/v5"
)

// Raw is a value that is already encoded, in JSON or in MessagePack. Every encoder of this package
// takes it in place of a value, at the top or as a field, and transcodes it when it is in the other
// format; with both set, each format takes its own and the application answers for their being
// equal. The zero value is null.
//
// The bytes must be exactly one well-formed value, or the encoder refuses them: otherwise one bad
// value would corrupt the whole message around it. Limits do not apply, the bytes being the
// application's own; nested deeper than 10,000 they are refused. A MessagePack Raw may not hold LZ4
// blocks.
//
// Decoding into a Raw field sets the side of the format decoded, to a copy.
type Raw struct {
	JSON    []byte
	MsgPack []byte
}

func (r Raw) appendJSON(dst []byte) ([]byte, error) {
	switch {
	case r.JSON != nil:
		if err := CheckJSON(r.JSON, unlimited); err != nil {
			return dst, err
		}
		return append(dst, r.JSON...), nil
	case r.MsgPack != nil:
		return appendJSONFromMsgPack(dst, r.MsgPack, unlimited, false)
	}
	return append(dst, "null"...), nil
}

func (r Raw) appendMsgPack(dst []byte) ([]byte, error) {
	switch {
	case r.MsgPack != nil:
		if err := CheckMsgPack(r.MsgPack, unlimited); err != nil {
			return dst, err
		}
		return append(dst, r.MsgPack...), nil
	case r.JSON != nil:
		return AppendMsgPackFromJSON(dst, r.JSON, unlimited)
	}
	return append(dst, 0xc0), nil
}

// MarshalJSON implements json.Marshaler.
func (r Raw) MarshalJSON() ([]byte, error) { return r.appendJSON(nil) }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Raw) UnmarshalJSON(data []byte) error {
	*r = Raw{JSON: bytes.Clone(data)}
	return nil
}

// EncodeMsgpack implements msgpack.CustomEncoder.
func (r Raw) EncodeMsgpack(enc *msgpack.Encoder) error {
	b := getBuffer()
	defer b.free()
	var err error
	if b.b, err = r.appendMsgPack(b.b); err == nil {
		_, err = enc.Writer().Write(b.b)
	}
	return err
}

// DecodeMsgpack implements msgpack.CustomDecoder.
func (r *Raw) DecodeMsgpack(dec *msgpack.Decoder) error {
	b, err := dec.DecodeRaw()
	if err == nil {
		*r = Raw{MsgPack: b}
	}
	return err
}
