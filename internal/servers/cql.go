package servers

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// Consistency levels of Cassandra's native protocol.
const (
	cqlOne    = 0x0001
	cqlTwo    = 0x0002
	cqlThree  = 0x0003
	cqlQuorum = 0x0004
)

// cql runs one statement on a connection of its own (native protocol, version 4) and returns the body of the result.
func cql(ctx context.Context, addr string, consistency uint16, statement string) ([]byte, error) {
	const startup, query = 0x01, 0x07
	conn, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := cqlAsk(conn, startup, []byte("\x00\x01\x00\x0bCQL_VERSION\x00\x053.0.0")); err != nil {
		return nil, err
	}
	body := binary.BigEndian.AppendUint32(nil, uint32(len(statement)))
	body = append(body, statement...)
	body = binary.BigEndian.AppendUint16(body, consistency)
	return cqlAsk(conn, query, append(body, 0)) // no flags
}

// cqlAsk sends a frame and returns the body of the one that answers it.
func cqlAsk(conn net.Conn, opcode byte, body []byte) ([]byte, error) {
	const failed = 0x00
	head := []byte{4, 0, 0, 0, opcode}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(head, uint32(len(body))), body...)); err != nil {
		return nil, err
	}
	var answer [9]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(answer[5:])
	if length > 1<<20 {
		return nil, fmt.Errorf("frame of %d bytes", length)
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	if answer[4] == failed {
		return nil, fmt.Errorf("refused: %q", body)
	}
	return body, nil
}
