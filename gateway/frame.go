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

// appendFrameHeader begins a data frame whose payload has n bytes.
func appendFrameHeader(dst []byte, f form, n int) []byte {
	kind := byte(frameText)
	if f.binary() {
		kind = frameBinary
	}
	switch {
	case n < 126:
		return append(dst, kind, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, kind, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, kind, 127), uint64(n))
	}
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
