package load

import "encoding/binary"

// nextFrame splits what begins with a server's frame: its opcode, its payload and
// what follows. ok is false when it is not all there.
func nextFrame(b []byte) (op byte, payload, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, nil, b, false
	}
	head, n := 2, uint64(b[1]&0x7f)
	switch n {
	case 126:
		if head = 4; len(b) < head {
			return 0, nil, b, false
		}
		n = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if head = 10; len(b) < head {
			return 0, nil, b, false
		}
		n = binary.BigEndian.Uint64(b[2:])
	}
	if n > uint64(len(b)-head) {
		return 0, nil, b, false
	}
	end := head + int(n)
	return b[0] & 0xf, b[head:end], b[end:], true
}

// Opcodes of RFC 6455.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// frame is a client's frame. Its mask is zero, which is a mask like any other.
func frame(op byte, payload []byte) []byte {
	b := []byte{0x80 | op}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	default:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	}
	b = append(b, 0, 0, 0, 0)
	return append(b, payload...)
}
