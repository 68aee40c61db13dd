package codec

import "encoding/binary"

// kind is what a MessagePack value is, as its first byte says.
type kind uint8

const (
	kindReserved  kind = iota // 0xc1, which no value begins with
	kindTruncated             // the input ends inside the head
	kindNil
	kindFalse
	kindTrue
	kindUint    // n is the value
	kindInt     // n is the value, as int64
	kindFloat32 // n is the bits
	kindFloat64 // n is the bits
	kindString  // n bytes follow
	kindBinary  // n bytes follow
	kindArray   // n values follow
	kindMap     // n keys and values follow
	kindExt     // the type byte follows, then n bytes
)

// head describes a first byte from 0xc0 to 0xdf: its kind, how many bytes of length or value follow
// it, and the length where the byte itself says it.
type head struct {
	kind  kind
	width uint8
	n     uint8
}

// heads follows the format table of the MessagePack specification (msgpack/msgpack, spec.md).
var heads = [32]head{
	{kindNil, 0, 0}, {kindReserved, 0, 0}, {kindFalse, 0, 0}, {kindTrue, 0, 0},
	{kindBinary, 1, 0}, {kindBinary, 2, 0}, {kindBinary, 4, 0},
	{kindExt, 1, 0}, {kindExt, 2, 0}, {kindExt, 4, 0},
	{kindFloat32, 4, 0}, {kindFloat64, 8, 0},
	{kindUint, 1, 0}, {kindUint, 2, 0}, {kindUint, 4, 0}, {kindUint, 8, 0},
	{kindInt, 1, 0}, {kindInt, 2, 0}, {kindInt, 4, 0}, {kindInt, 8, 0},
	{kindExt, 0, 1}, {kindExt, 0, 2}, {kindExt, 0, 4}, {kindExt, 0, 8}, {kindExt, 0, 16},
	{kindString, 1, 0}, {kindString, 2, 0}, {kindString, 4, 0},
	{kindArray, 2, 0}, {kindArray, 4, 0},
	{kindMap, 2, 0}, {kindMap, 4, 0},
}

// token reads the head of the value at b[i]: its kind, its n, and where what follows the head begins.
func token(b []byte, i int) (k kind, n uint64, next int) {
	if i >= len(b) {
		return kindTruncated, 0, i
	}
	c := b[i]
	i++
	switch {
	case c < 0x80:
		return kindUint, uint64(c), i
	case c < 0x90:
		return kindMap, uint64(c & 0x0f), i
	case c < 0xa0:
		return kindArray, uint64(c & 0x0f), i
	case c < 0xc0:
		return kindString, uint64(c & 0x1f), i
	case c >= 0xe0:
		return kindInt, uint64(int8(c)), i
	}
	h := heads[c-0xc0]
	if h.width == 0 {
		return h.kind, uint64(h.n), i
	}
	rest := b[i:]
	if len(rest) < int(h.width) {
		return kindTruncated, 0, i
	}
	switch h.width {
	case 1:
		n = uint64(rest[0])
	case 2:
		n = uint64(binary.BigEndian.Uint16(rest))
	case 4:
		n = uint64(binary.BigEndian.Uint32(rest))
	default:
		n = binary.BigEndian.Uint64(rest)
	}
	if h.kind == kindInt {
		unused := 64 - 8*uint(h.width) // sign extension
		n = uint64(int64(n<<unused) >> unused)
	}
	return h.kind, n, i + int(h.width)
}

// appendInt appends v in its shortest form.
func appendInt(dst []byte, v int64) []byte {
	switch {
	case v >= 0:
		return appendUint(dst, uint64(v))
	case v >= -1<<5:
		return append(dst, byte(v))
	case v >= -1<<7:
		return append(dst, 0xd0, byte(v))
	case v >= -1<<15:
		return binary.BigEndian.AppendUint16(append(dst, 0xd1), uint16(v))
	case v >= -1<<31:
		return binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(v))
}

// appendUint appends v in its shortest form.
func appendUint(dst []byte, v uint64) []byte {
	switch {
	case v < 1<<7:
		return append(dst, byte(v))
	case v < 1<<8:
		return append(dst, 0xcc, byte(v))
	case v < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(v))
	case v < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), v)
}

// appendLength appends the head of a value of n bytes or elements: the short form fix+n when n is at
// most short, else the first of the three codes that has room for n. A code of 0 does not exist.
func appendLength(dst []byte, n int, fix byte, short int, code8, code16, code32 byte) []byte {
	switch {
	case n <= short:
		return append(dst, fix|byte(n))
	case n < 1<<8 && code8 != 0:
		return append(dst, code8, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, code16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, code32), uint32(n))
}

func appendStringHead(dst []byte, n int) []byte {
	return appendLength(dst, n, 0xa0, 31, 0xd9, 0xda, 0xdb)
}
func appendArrayHead(dst []byte, n int) []byte { return appendLength(dst, n, 0x90, 15, 0, 0xdc, 0xdd) }
func appendMapHead(dst []byte, n int) []byte   { return appendLength(dst, n, 0x80, 15, 0, 0xde, 0xdf) }

// appendExtHead appends the head of an extension of n bytes, up to and with its type.
func appendExtHead(dst []byte, n int, typ byte) []byte {
	switch n {
	case 1:
		return append(dst, 0xd4, typ)
	case 2:
		return append(dst, 0xd5, typ)
	case 4:
		return append(dst, 0xd6, typ)
	case 8:
		return append(dst, 0xd7, typ)
	case 16:
		return append(dst, 0xd8, typ)
	}
	return append(appendLength(dst, n, 0, -1, 0xc7, 0xc8, 0xc9), typ)
}
