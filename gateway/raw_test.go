package gateway

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// rawConn is a WebSocket connection whose client may send any bytes at all.
type rawConn struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

func dialRaw(t testing.TB, url string) *rawConn {
	t.Helper()
	host, rest, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
	nc, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return upgradeRaw(t, nc, host, "/"+rest)
}

// upgradeRaw makes a WebSocket of a connection that somebody else closes.
func upgradeRaw(t testing.TB, nc net.Conn, host, path string) *rawConn {
	t.Helper()
	nc.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", path, host)
	c := &rawConn{t: t, nc: nc, r: bufio.NewReader(nc)}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %s", res.Status)
	}
	return c
}

// loginRaw dials, identifies and reads READY.
func loginRaw(t testing.TB, url, token string) *rawConn {
	t.Helper()
	c := dialRaw(t, url)
	c.write(text(fmt.Sprintf(`{"op":2,"d":{"token":%q,"intents":0}}`, token)))
	c.until("READY")
	return c
}

// Opcodes of RFC 6455.
const (
	wsContinuation = 0
	wsText         = 1
	wsBinary       = 2
	wsClose        = 8
	wsPing         = 9
	wsPong         = 10
)

// frame is a frame as a client sends it, masked. Bits beyond fin come in first.
func frame(first byte, payload []byte) []byte {
	return frameDeclaring(first, payload, uint64(len(payload)))
}

// frameDeclaring lies about its length.
func frameDeclaring(first byte, payload []byte, n uint64) []byte {
	b := []byte{first}
	switch {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), n)
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i, x := range payload {
		b = append(b, x^mask[i&3])
	}
	return b
}

func text(payload string) []byte { return frame(0x80|wsText, []byte(payload)) }

func closePayload(code uint16, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, code), reason...)
}

// write ignores errors: a server that has seen enough may be gone.
func (c *rawConn) write(b []byte) { c.nc.Write(b) }

// read returns the next frame's first byte and payload.
func (c *rawConn) read() (byte, []byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(c.r, b[:]); err != nil {
			return 0, nil, err
		}
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(c.r, b[:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(b[:])
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(c.r, payload)
	return head[0], payload, err
}

// until reads until a data frame contains the text.
func (c *rawConn) until(part string) {
	c.t.Helper()
	for {
		_, payload, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %q: %v", part, err)
		}
		if strings.Contains(string(payload), part) {
			return
		}
	}
}

// closeCode reads until the server's close frame, or the end without one.
func (c *rawConn) closeCode() Code {
	for {
		first, payload, err := c.read()
		if err != nil {
			return closeAbnormal
		}
		if first == frameClose {
			if len(payload) < 2 {
				return 1005 // no code in it
			}
			return Code(binary.BigEndian.Uint16(payload))
		}
	}
}
