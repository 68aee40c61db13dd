package load

import (
	"bytes"
	"encoding/binary"
)

// Centrifuge is its protocol in Protobuf, with subscriptions that the server
// makes. A frame may carry several messages, each with its length in front; an
// empty one is a ping.
func Centrifuge() *Speaker {
	connect := []byte{4, 0x08, 1, 0x22, 0} // Command{id: 1, connect: {}}
	return &Speaker{
		Path:   "/connection/websocket?cf_protocol=protobuf",
		Opened: func(*Client) []byte { return frame(opBinary, connect) },
		Message: func(c *Client, b []byte) (answer []byte, events int) {
			for len(b) > 0 {
				n, k := binary.Uvarint(b)
				if k <= 0 || n > uint64(len(b)-k) {
					return nil, 0
				}
				message := b[k : k+int(n)]
				b = b[k+int(n):]
				switch {
				case n == 0:
					answer = frame(opBinary, []byte{0})
				case message[0] == 0x08: // Reply{id: 1, connect: …}
					c.Ready = true
				default: // Reply{push: …}
					events++
				}
			}
			return answer, events
		},
	}
}

// SocketIO is Engine.IO 4 under Socket.IO 5.
func SocketIO() *Speaker {
	return &Speaker{
		Path: "/socket.io/?EIO=4&transport=websocket",
		Message: func(c *Client, b []byte) ([]byte, int) {
			switch {
			case bytes.HasPrefix(b, []byte("42")):
				return nil, 1
			case bytes.HasPrefix(b, []byte("40")):
				c.Ready = true
			case bytes.HasPrefix(b, []byte("0")):
				return frame(opText, []byte("40")), 0
			case bytes.HasPrefix(b, []byte("2")):
				return frame(opText, []byte("3")), 0
			}
			return nil, 0
		},
	}
}
