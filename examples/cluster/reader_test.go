package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
)

// reader is a client that counts events and does nothing else, so that it takes little of the processors that it
// shares with what is measured. It sends heartbeats when it is told to.
type reader struct {
	conn net.Conn
	in   *bufio.Reader
	got  *atomic.Int64 // events, of all readers
}

// dialReader signs in at a node, and returns when the session is there.
func dialReader(addr, name string, got *atomic.Int64) (*reader, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	r := &reader{conn, bufio.NewReaderSize(conn, 16<<10), got}
	if err := r.signIn(name); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s signs in: %w", name, err)
	}
	return r, nil
}

func (r *reader) signIn(name string) error {
	fmt.Fprintf(r.conn, "GET /gateway?v=10&encoding=json HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	if err := r.send(fmt.Sprintf(`{"op":2,"d":{"token":%q,"intents":0,"properties":{}}}`, name)); err != nil {
		return err
	}
	for {
		ready, err := r.next([]byte(`"READY"`))
		if ready || err != nil {
			return err
		}
	}
}

// beat sends a heartbeat, which acknowledges nothing.
func (r *reader) beat() { r.send(`{"op":1,"d":null}`) }

// send sends less than 126 bytes.
func (r *reader) send(text string) error {
	_, err := r.conn.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...))
	return err
}

// count counts until the connection ends.
func (r *reader) count() {
	for {
		is, err := r.next([]byte(`"MESSAGE"`))
		if err != nil {
			return
		}
		if is {
			r.got.Add(1)
		}
	}
}

// next reads a frame, and reports whether the text is in it.
func (r *reader) next(text []byte) (bool, error) {
	head, err := r.in.Peek(2)
	if err != nil {
		return false, err
	}
	skip, size := 2, int(head[1])
	if size == 126 {
		if head, err = r.in.Peek(4); err != nil {
			return false, err
		}
		skip, size = 4, int(binary.BigEndian.Uint16(head[2:]))
	}
	frame, err := r.in.Peek(skip + size) // ErrBufferFull for what is no event of ours
	if err != nil {
		return false, err
	}
	is := bytes.Contains(frame[skip:], text)
	r.in.Discard(skip + size)
	return is, nil
}
