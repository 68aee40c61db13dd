package inbound

import "encoding/binary"

// Opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

// A header has at most this many bytes: two, eight of length, four of mask.
const maxHeader = 14

// maxControl is the most that a control frame may carry.
const maxControl = 125

// header is how a frame begins.
type header struct {
	first  byte // as it was sent: fin, reserved bits, opcode
	masked bool
	mask   [4]byte
	length uint64
	size   int // of the header itself
}

func (h *header) fin() bool     { return h.first&0x80 != 0 }
func (h *header) op() byte      { return h.first & 0xf }
func (h *header) control() bool { return h.first&0x8 != 0 }

// headerSize is how many bytes the header has that begins with b, of which at
// least two must be there.
func headerSize(b []byte) int {
	n := 2
	switch b[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if b[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// parseHeader reads a header that is all there.
func parseHeader(b []byte) (h header) {
	h.first, h.masked, h.length, h.size = b[0], b[1]&0x80 != 0, uint64(b[1]&0x7f), headerSize(b)
	rest := b[2:]
	switch h.length {
	case 126:
		h.length, rest = uint64(binary.BigEndian.Uint16(rest)), rest[2:]
	case 127:
		h.length, rest = binary.BigEndian.Uint64(rest), rest[8:]
	}
	if h.masked {
		h.mask = [4]byte(rest)
	}
	return h
}

// fault says what is wrong with a header, "" if nothing is, given the opcode of
// the message in progress, 0 if there is none. The order is package websocket's.
func (h *header) fault(message byte) string {
	switch {
	case h.length > 1<<63-1:
		return "negative length"
	case h.first&0x70 != 0:
		return "reserved bits are set"
	case !h.masked:
		return "a client's frame without a mask"
	case h.control():
		switch {
		case h.op() > opPong:
			return "unknown opcode"
		case h.length > maxControl:
			return "a control frame of more than 125 bytes"
		case !h.fin():
			return "a control frame in fragments"
		}
	case h.op() > opBinary:
		return "unknown opcode"
	case h.op() == opContinuation && message == 0:
		return "a continuation of nothing"
	case h.op() != opContinuation && message != 0:
		return "a message inside another"
	}
	return ""
}

// unmask applies the mask to b, the bytes of a payload from pos on.
func unmask(b []byte, mask [4]byte, pos int) {
	var key [8]byte
	for i := range key {
		key[i] = mask[(pos+i)&3]
	}
	k := binary.NativeEndian.Uint64(key[:])
	for len(b) >= 8 {
		binary.NativeEndian.PutUint64(b, binary.NativeEndian.Uint64(b)^k)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= key[i]
	}
}
