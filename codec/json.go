package codec

import (
	"encoding/json"
	"sync"
)

// JSON is encoding/json without HTML escaping: see [AppendJSON]. Decode checks the input first, and
// is as lenient as encoding/json about unknown fields and the case of keys, but strict about UTF-8.
var JSON Codec = jsonCodec{}

type jsonCodec struct{ limits Limits }

func (jsonCodec) Name() string                             { return "json" }
func (jsonCodec) Append(dst []byte, v any) ([]byte, error) { return AppendJSON(dst, v) }
func (jsonCodec) withLimits(l Limits) Codec                { return jsonCodec{l} }
func (c jsonCodec) limitsOf() Limits                       { return c.limits }

func (c jsonCodec) Decode(data []byte, v any) error {
	if err := CheckJSON(data, c.limits); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return misfit("json", err)
	}
	return nil
}

// jsonEncoder is a reused encoder. It encodes into a buffer of encoding/json's own and hands that
// to its writer in one piece, so the writer may well be the caller's slice.
type jsonEncoder struct {
	out buffer
	enc *json.Encoder
}

var jsonEncoders = sync.Pool{New: func() any {
	e := new(jsonEncoder)
	e.enc = json.NewEncoder(&e.out)
	e.enc.SetEscapeHTML(false)
	return e
}}

// AppendJSON appends v as encoding/json writes it, but with <, > and & as they are and no newline at
// the end. A [Raw] is checked and appended byte for byte. On an error it returns dst as it was.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	if raw, ok := v.(Raw); ok {
		return raw.appendJSON(dst)
	}
	e := jsonEncoders.Get().(*jsonEncoder)
	e.out.b = dst
	err := e.enc.Encode(v)
	out := e.out.b
	e.out.b = nil
	jsonEncoders.Put(e)
	if err != nil {
		return dst, misfit("json", err)
	}
	return out[:len(out)-1], nil
}
