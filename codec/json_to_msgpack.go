package codec

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendMsgPackFromJSON appends the MessagePack form of one JSON value, members in their order.
// A number written as an integer stays one when int64 or uint64 holds it; every other number becomes
// a float64, -0 too. The result has no byte strings and no extensions, lengths and integers take
// their shortest form, and src is checked against l first. A number beyond float64 is ErrNumber, a
// result above Limits.Output ErrTooLarge. dst and src must not overlap.
func AppendMsgPackFromJSON(dst, src []byte, l Limits) ([]byte, error) {
	if err := CheckJSON(src, l); err != nil {
		return dst, err
	}
	p := packer{src: src, dst: dst}
	p.value()
	switch {
	case p.err != nil:
		return dst, p.err
	case len(p.dst)-len(dst) > l.effective().Output: // at most 9 bytes for 2 of the input
		return dst, badJSON(0, ErrTooLarge)
	}
	return p.dst, nil
}

// packer transcodes checked JSON: only what the check cannot know is looked at again.
type packer struct {
	src []byte
	i   int
	dst []byte
	err error // the first number that did not fit
}

func (p *packer) value() {
	p.i = space(p.src, p.i)
	switch p.src[p.i] {
	case '"':
		p.text()
	case '{':
		p.container(true)
	case '[':
		p.container(false)
	case 't':
		p.i += len("true")
		p.dst = append(p.dst, 0xc3)
	case 'f':
		p.i += len("false")
		p.dst = append(p.dst, 0xc2)
	case 'n':
		p.i += len("null")
		p.dst = append(p.dst, 0xc0)
	default:
		p.number()
	}
}

// container writes a head of one byte, which is right for up to 15 elements; when there prove to be
// more, what has been written moves up.
func (p *packer) container(isObject bool) {
	start := len(p.dst)
	p.dst = append(p.dst, 0)
	n := 0
	p.i = space(p.src, p.i+1)
	for p.src[p.i] != ']' && p.src[p.i] != '}' {
		if p.src[p.i] == ',' {
			p.i = space(p.src, p.i+1)
		}
		if isObject {
			p.text()
			p.i = space(p.src, p.i) + 1 // the colon
		}
		p.value()
		p.i = space(p.src, p.i)
		n++
	}
	p.i++
	var room [5]byte
	head := appendArrayHead(room[:0], n)
	if isObject {
		head = appendMapHead(room[:0], n)
	}
	p.setHead(start, 1, head)
}

// setHead puts head before what follows the width bytes reserved for it at dst[start].
func (p *packer) setHead(start, width int, head []byte) {
	body := p.dst[start+width:]
	if len(head) > width {
		p.dst = append(p.dst, head[width:]...) // makes the room
	}
	p.dst = p.dst[:start+len(head)+len(body)]
	copy(p.dst[start+len(head):], body)
	copy(p.dst[start:], head)
}

func (p *packer) text() {
	begin := p.i + 1
	i := begin
	for p.src[i] != '"' {
		if p.src[i] == '\\' {
			p.escaped(begin, i)
			return
		}
		i++
	}
	p.i = i + 1
	p.dst = append(appendStringHead(p.dst, i-begin), p.src[begin:i]...)
}

// escaped writes the string that begins at src[begin] and has its first escape at src[i]. Its head is
// reserved for the length as written, which is never less than the length that comes out.
func (p *packer) escaped(begin, i int) {
	end := i
	for p.src[end] != '"' {
		if p.src[end] == '\\' {
			end++
		}
		end++
	}
	p.i = end + 1
	start := len(p.dst)
	p.dst = appendStringHead(p.dst, end-begin)
	width := len(p.dst) - start
	for from := begin; ; {
		p.dst = append(p.dst, p.src[from:i]...)
		if i == end {
			break
		}
		from = p.escape(i)
		for i = from; i < end && p.src[i] != '\\'; i++ {
		}
	}
	var room [5]byte
	p.setHead(start, width, appendStringHead(room[:0], len(p.dst)-start-width))
}

// escape writes what the sequence at src[i] stands for and returns its end.
func (p *packer) escape(i int) int {
	c := p.src[i+1]
	switch c {
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return p.escapedRune(i)
	}
	p.dst = append(p.dst, c)
	return i + 2
}

func (p *packer) escapedRune(i int) int {
	r := hexRune(p.src[i+2:])
	i += 6
	if utf16.IsSurrogate(r) {
		pair := rune(utf8.RuneError)
		if p.src[i] == '\\' && p.src[i+1] == 'u' {
			pair = utf16.DecodeRune(r, hexRune(p.src[i+2:]))
		}
		if r = pair; r != utf8.RuneError {
			i += 6
		}
	}
	p.dst = utf8.AppendRune(p.dst, r)
	return i
}

func hexRune(b []byte) (r rune) {
	for _, c := range b[:4] {
		v, _ := hexDigit(c)
		r = r<<4 | v
	}
	return r
}

func (p *packer) number() {
	begin := p.i
	integer := true
	for ; p.i < len(p.src); p.i++ {
		c := p.src[p.i]
		if c == '.' || c|0x20 == 'e' {
			integer = false
		} else if (c < '0' || c > '9') && c != '-' && c != '+' {
			break
		}
	}
	text := p.src[begin:p.i]
	if integer && p.integer(text) {
		return
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && p.err == nil {
		p.err = badJSON(begin, ErrNumber)
	}
	p.dst = binary.BigEndian.AppendUint64(append(p.dst, 0xcb), math.Float64bits(f))
}

// integer writes text, an optional minus and digits, if 64 bits hold it and it is not -0.
func (p *packer) integer(text []byte) bool {
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	}
	if len(text) > 20 {
		return false
	}
	var v uint64
	for _, c := range text {
		d := uint64(c - '0')
		if v > (math.MaxUint64-d)/10 {
			return false
		}
		v = v*10 + d
	}
	switch {
	case !negative:
		p.dst = appendUint(p.dst, v)
	case v == 0 || v > 1<<63:
		return false
	default:
		p.dst = appendInt(p.dst, int64(-v))
	}
	return true
}
