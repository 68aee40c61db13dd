package codec

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendJSONFromMsgPack appends the JSON form of one MessagePack value from a stranger, members in
// their order, the bytes being those that [AppendJSON] would write: a byte string in base64, a
// timestamp as RFC 3339 in UTC, a float32 with the digits that a float32 needs, and an LZ4 block as
// the value it holds. src is checked against l first. A float that is not a number or infinite is
// ErrNumber, JSON longer than Limits.Output ErrTooLarge. dst and src must not overlap.
func AppendJSONFromMsgPack(dst, src []byte, l Limits) ([]byte, error) {
	return appendJSONFromMsgPack(dst, src, l, true)
}

func appendJSONFromMsgPack(dst, src []byte, l Limits, blocks bool) ([]byte, error) {
	check := newMsgpackCheck(l, blocks)
	if err := check.message(src); err != nil {
		return dst, err
	}
	w := jsonWriter{src: src, dst: dst, start: len(dst), limit: l.effective().Output}
	if _, err := w.value(0); err != nil {
		return dst, err
	}
	return w.dst, nil
}

// jsonWriter transcodes checked MessagePack.
type jsonWriter struct {
	src   []byte
	dst   []byte
	start int // of the output in dst
	limit int // of the output
}

// value writes the value at src[i] and returns its end.
func (w *jsonWriter) value(i int) (int, error) {
	k, n, next := token(w.src, i)
	end := next
	switch k {
	case kindNil:
		w.dst = append(w.dst, "null"...)
	case kindFalse:
		w.dst = append(w.dst, "false"...)
	case kindTrue:
		w.dst = append(w.dst, "true"...)
	case kindUint:
		w.dst = strconv.AppendUint(w.dst, n, 10)
	case kindInt:
		w.dst = strconv.AppendInt(w.dst, int64(n), 10)
	case kindFloat32:
		return next, w.float(i, float64(math.Float32frombits(uint32(n))), 32)
	case kindFloat64:
		return next, w.float(i, math.Float64frombits(n), 64)
	case kindString:
		end = next + int(n)
		w.dst = appendJSONString(w.dst, w.src[next:end])
	case kindBinary:
		end = next + int(n)
		w.dst = append(w.dst, '"')
		w.dst = append(base64.StdEncoding.AppendEncode(w.dst, w.src[next:end]), '"')
	case kindArray:
		return w.container(next, int(n), '[', ']', false)
	case kindMap:
		return w.container(next, int(n), '{', '}', true)
	case kindExt:
		end = next + 1 + int(n)
		if err := w.extension(i, w.src[next], w.src[next+1:end]); err != nil {
			return i, err
		}
	}
	return end, w.size(i)
}

// size refuses an output above the limit. It is asked after every value, so that the output passes
// the limit by no more than one string.
func (w *jsonWriter) size(i int) error {
	if len(w.dst)-w.start > w.limit {
		return badMsgpack(i, ErrTooLarge)
	}
	return nil
}

func (w *jsonWriter) container(i, n int, open, shut byte, isMap bool) (int, error) {
	w.dst = append(w.dst, open)
	for first := true; n > 0; n, first = n-1, false {
		if !first {
			w.dst = append(w.dst, ',')
		}
		if isMap {
			_, n, next := token(w.src, i)
			i = next + int(n)
			w.dst = append(appendJSONString(w.dst, w.src[next:i]), ':')
		}
		var err error
		if i, err = w.value(i); err != nil {
			return i, err
		}
	}
	w.dst = append(w.dst, shut)
	return i, w.size(i)
}

func (w *jsonWriter) extension(at int, typ byte, body []byte) error {
	if typ == extTimestamp {
		sec, nsec, _ := timestamp(body)
		w.dst = appendTimeJSON(w.dst, sec, nsec)
		return nil
	}
	held := getBuffer()
	defer held.free()
	var err error
	if held.b, err = appendBlock(held.b, body, nil); err != nil {
		return badBlock(at, err)
	}
	inner := jsonWriter{src: held.b, dst: w.dst, start: w.start, limit: w.limit}
	if _, err := inner.value(0); err != nil {
		return badBlock(at, err.(*Error).Err)
	}
	w.dst = inner.dst
	return nil
}

// float writes f in the shortest form that reads back as f, in decimal or with an exponent where
// ECMAScript has one, as encoding/json does.
func (w *jsonWriter) float(at int, f float64, bits int) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return badMsgpack(at, ErrNumber)
	}
	abs, format := math.Abs(f), byte('f')
	tiny := abs != 0 && (bits == 64 && abs < 1e-6 || bits == 32 && float32(abs) < 1e-6)
	if tiny || bits == 64 && abs >= 1e21 || bits == 32 && float32(abs) >= 1e21 {
		format = 'e'
	}
	w.dst = strconv.AppendFloat(w.dst, f, format, -1, bits)
	if n := len(w.dst); format == 'e' && w.dst[n-4] == 'e' && w.dst[n-2] == '0' { // e-09 is e-9
		w.dst[n-2] = w.dst[n-1]
		w.dst = w.dst[:n-1]
	}
	return w.size(at)
}

// appendJSONString appends s, valid UTF-8, quoted. U+2028 and U+2029 are escaped, as encoding/json
// does: JavaScript once took them for the end of a line.
func appendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if jsonPlain[c] || c >= utf8.RuneSelf && !lineSeparator(s[i:]) {
			continue
		}
		dst = append(dst, s[done:i]...)
		if c >= utf8.RuneSelf {
			i += 2
		}
		done = i + 1
		dst = appendEscape(dst, c, s[i])
	}
	dst = append(dst, s[done:]...)
	return append(dst, '"')
}

func lineSeparator(s []byte) bool {
	return len(s) > 2 && s[0] == 0xe2 && s[1] == 0x80 && s[2]|1 == 0xa9
}

// appendEscape appends the escape of c, or of the line separator that ends in last.
func appendEscape(dst []byte, c, last byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if c >= utf8.RuneSelf {
		return append(dst, '\\', 'u', '2', '0', '2', hex[last&0xf])
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
