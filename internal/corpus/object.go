package corpus

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// object is a JSON object that keeps the order of its members: keys and values in turn.
type object []any

// list is a JSON array; nil is an empty one.
type list []any

// with returns o with members behind its own.
func (o object) with(members ...any) object { return append(o[:len(o):len(o)], members...) }

// render writes a value as a gateway does: without spaces, and text as it is.
func render(v any) []byte {
	var b bytes.Buffer
	write(&b, v)
	return b.Bytes()
}

func write(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i := 0; i < len(v); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, v[i])
			b.WriteByte(':')
			write(b, v[i+1])
		}
		b.WriteByte('}')
	case list:
		b.WriteByte('[')
		for i, element := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			write(b, element)
		}
		b.WriteByte(']')
	case int:
		b.Write(strconv.AppendInt(b.AvailableBuffer(), int64(v), 10))
	case int64:
		b.Write(strconv.AppendInt(b.AvailableBuffer(), v, 10))
	case bool:
		b.Write(strconv.AppendBool(b.AvailableBuffer(), v))
	case nil:
		b.WriteString("null")
	case string:
		text(b, v)
	default:
		panic(v) // a value of a kind that this package has no use for
	}
}

// text writes a string as encoding/json does when it leaves HTML alone.
func text(b *bytes.Buffer, s string) {
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r > '~' }) {
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(s); err != nil {
			panic(err)
		}
		b.Truncate(b.Len() - 1)
		return
	}
	b.WriteByte('"')
	b.WriteString(s)
	b.WriteByte('"')
}

func (o object) index(key string) int {
	for i := 0; i < len(o); i += 2 {
		if o[i] == key {
			return i
		}
	}
	panic("corpus: no member " + key)
}

func (o object) value(key string) any  { return o[o.index(key)+1] }
func (o object) set(key string, v any) { o[o.index(key)+1] = v }

// without returns o without some of its members.
func (o object) without(keys ...string) object {
	o = o.with()
	for _, key := range keys {
		i := o.index(key)
		o = append(o[:i:i], o[i+2:]...)
	}
	return o
}
