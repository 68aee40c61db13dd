package gatewaytest

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Frames as RFC 6455 section 5 has them.
const (
	frameContinuation = 0
	frameText         = 1
	frameBinary       = 2
	frameClose        = 8
	framePing         = 9
	framePong         = 10
)

// HandshakeError says that a server did not upgrade a connection.
type HandshakeError struct {
	Status int // of HTTP
	Body   string
}

func (e *HandshakeError) Error() string {
	return "gatewaytest: not upgraded: " + strconv.Itoa(e.Status) + " " + strings.TrimSpace(e.Body)
}

// handshakeKey need not differ: nobody caches anything here.
const handshakeKey = "Z2F0ZWhvdXNlIGlzIGl0Lg=="

func handshake(w io.Writer, r *bufio.Reader, host, target string) error {
	_, err := fmt.Fprintf(w, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", target, host, handshakeKey)
	if err != nil {
		return err
	}
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		res.Body.Close()
		return &HandshakeError{Status: res.StatusCode, Body: string(body)}
	}
	sum := sha1.Sum([]byte(handshakeKey + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if got := res.Header.Get("Sec-WebSocket-Accept"); got != base64.StdEncoding.EncodeToString(sum[:]) {
		return fmt.Errorf("gatewaytest: the server accepted %q", got)
	}
	return nil
}

// appendFrame appends a whole, masked frame.
func appendFrame(dst []byte, opcode byte, mask uint32, payload []byte) []byte {
	dst = append(dst, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	dst = binary.BigEndian.AppendUint32(dst, mask)
	key := [4]byte(dst[len(dst)-4:])
	for i, b := range payload {
		dst = append(dst, b^key[i&3])
	}
	return dst
}

// ErrProtocol is the error, wrapped, that ends a connection on which the server
// sent what no client understands: bytes that are no frames, or frames that are
// no messages.
var ErrProtocol = errors.New("gatewaytest: the server broke the protocol")

// readFrame returns the next frame of a server.
func readFrame(r *bufio.Reader) (fin bool, opcode byte, payload []byte, err error) {
	var head [8]byte
	if _, err = io.ReadFull(r, head[:2]); err != nil {
		return false, 0, nil, err
	}
	fin, opcode = head[0]&0x80 != 0, head[0]&0x0f
	n := uint64(head[1])
	switch {
	case head[0]&0x70 != 0 || head[1]&0x80 != 0:
		return false, 0, nil, fmt.Errorf("%w: reserved bits, or a mask: %x", ErrProtocol, head[:2])
	case n == 126:
		if _, err = io.ReadFull(r, head[:2]); err != nil {
			return false, 0, nil, noEOF(err)
		}
		n = uint64(binary.BigEndian.Uint16(head[:2]))
	case n == 127:
		if _, err = io.ReadFull(r, head[:8]); err != nil {
			return false, 0, nil, noEOF(err)
		}
		n = binary.BigEndian.Uint64(head[:8])
	}
	if n > 64<<20 || opcode >= frameClose && (n > 125 || !fin) {
		return false, 0, nil, fmt.Errorf("%w: a frame %d of %d bytes", ErrProtocol, opcode, n)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return fin, opcode, payload, noEOF(err)
}

// noEOF makes an end inside a frame no orderly one.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
