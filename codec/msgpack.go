package codec

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// MsgPack is MessagePack with the vmihailenco library. Fields are named by their json tag (or a
// msgpack tag, which goes first), with omitempty; the options string and omitzero are not known to
// it. Integers take the shortest form and map keys are sorted, so equal values have equal bytes.
//
// It differs from JSON where the library does: a time.Time is a timestamp, a time.Duration a number, a
// json.Number a string, an encoding.TextMarshaler and a json.RawMessage are byte strings, and a
// json.Marshaler is not asked; use [AppendMsgPackFromJSON] for exactly what encoding/json says. A map
// whose keys are not strings is encoded, but no Decode of this package accepts it. Values that point
// at themselves end the process.
//
// Decoded into an any, a number is of the type that its encoding names (int8 to uint64, float32,
// float64), a byte string is []byte and a timestamp a time.Time; what the any held before is dropped.
// An integer that does not fit the field's type wraps around: transcode to JSON where that matters.
var MsgPack Codec = msgpackCodec{}

type msgpackCodec struct{ limits Limits }

func (msgpackCodec) Name() string              { return "msgpack" }
func (msgpackCodec) withLimits(l Limits) Codec { return msgpackCodec{l} }
func (c msgpackCodec) limitsOf() Limits        { return c.limits }

type msgpackEncoder struct {
	out buffer
	enc *msgpack.Encoder
}

var msgpackEncoders = sync.Pool{New: func() any {
	e := new(msgpackEncoder)
	e.enc = msgpack.NewEncoder(&e.out)
	e.enc.SetCustomStructTag("json")
	e.enc.SetSortMapKeys(true)
	e.enc.UseCompactInts(true)
	return e
}}

func (msgpackCodec) Append(dst []byte, v any) ([]byte, error) {
	if raw, ok := v.(Raw); ok {
		return raw.appendMsgPack(dst)
	}
	e := msgpackEncoders.Get().(*msgpackEncoder)
	e.out.b = dst
	e.enc.ResetWriter(&e.out)
	err := e.enc.Encode(v)
	out := e.out.b
	e.out.b = nil
	msgpackEncoders.Put(e)
	if err != nil {
		return dst, misfit("msgpack", err)
	}
	return out, nil
}

func (c msgpackCodec) Decode(data []byte, v any) error {
	check := newMsgpackCheck(c.limits, false)
	if err := check.message(data); err != nil {
		return err
	}
	if !check.rewrite {
		return decodeMsgPack(data, v)
	}
	plain := getBuffer()
	defer plain.free()
	var err error
	if plain.b, err = appendPlain(plain.b, data, nil); err != nil {
		return err
	}
	return decodeMsgPack(plain.b, v)
}

type msgpackDecoder struct {
	in  bytes.Reader
	dec *msgpack.Decoder
}

// Preallocated values are never asked for: the library starts an endless goroutine per type for them.
var msgpackDecoders = sync.Pool{New: func() any {
	d := new(msgpackDecoder)
	d.dec = msgpack.NewDecoder(&d.in)
	d.dec.SetCustomStructTag("json")
	return d
}}

// decodeMsgPack gives checked bytes to the library. The library panics on some that are well formed
// but disagree with the Go type (nil for a time.Time, a string for an interface with methods), so a
// panic is a misfit too. A decoder that failed is dropped: nobody promises the state it was left in.
func decodeMsgPack(data []byte, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = misfit("msgpack", fmt.Errorf("%v", p))
		}
	}()
	if p, ok := v.(*any); ok && p != nil {
		*p = nil
	}
	d := msgpackDecoders.Get().(*msgpackDecoder)
	d.in.Reset(data)
	d.dec.ResetReader(&d.in)
	if err := d.dec.Decode(v); err != nil {
		return misfit("msgpack", err)
	}
	if d.in.Len() != 0 {
		return misfit("msgpack", fmt.Errorf("%d bytes were left unread", d.in.Len()))
	}
	d.in.Reset(nil)
	if len(data) <= keep {
		msgpackDecoders.Put(d)
	}
	return nil
}
