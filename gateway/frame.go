package gateway

import (
	"encoding/binary"
	"strings"
)

// Frames as RFC 6455 section 5.2 has them, from a server: final, unmasked.
const (
	frameText   = 0x81
	frameBinary = 0x82
	frameClose  = 0x88
	framePong   = 0x8a
)

// appendFrameHeader begins a frame of a kind whose payload has n bytes.
func appendFrameHeader(dst []byte, kind byte, n int) []byte {
	switch {
	case n < 126:
		return append(dst, kind, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, kind, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, kind, 127), uint64(n))
	}
}

// cutFrame splits what begins with a whole frame of ours into that frame's
// payload, the frame and the rest.
func cutFrame(b []byte) (payload, frame, rest []byte) {
	head, n := 2, uint64(b[1])
	switch b[1] {
	case 126:
		head, n = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		head, n = 10, binary.BigEndian.Uint64(b[2:])
	}
	end := head + int(n)
	return b[head:end], b[:end], b[end:]
}

// maxCloseReason is what a control frame's 125 bytes leave beside the code.
const maxCloseReason = 123

// appendCloseFrame appends a close frame, cutting a long reason at a rune.
// Codes that may not be sent, which an application could return, become 4000.
func appendCloseFrame(dst []byte, code Code, reason string) []byte {
	reason = cutAtRune(strings.ToValidUTF8(reason, "\ufffd"), maxCloseReason)
	if !code.sendable() {
		code = CloseUnknown
	}
	dst = append(dst, frameClose, byte(2+len(reason)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// cutAtRune returns at most n bytes of s, never half a rune.
func cutAtRune(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
