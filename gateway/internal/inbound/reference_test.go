package inbound

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// reference reads data as the gateway does on a goroutine: by package websocket
// over a connection that counts, and with the loop of gateway/reader.go. It
// says what happened in the words of describe.
func reference(t testing.TB, data []byte, l Limits) (events []string) {
	t.Helper()
	stream := &memory{data: data, wire: l.Wire}
	ping := func(kind Kind) func(context.Context, []byte) bool {
		return func(_ context.Context, payload []byte) bool {
			stream.unfinished = 0
			events = append(events, describe(Event{Kind: kind, Data: payload}))
			return false
		}
	}
	pong := ping(Pong)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="} {
		r.Header.Set(k, v)
	}
	ws, err := websocket.Accept(&hijacker{httptest.NewRecorder(), stream}, r, &websocket.AcceptOptions{
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  ping(Ping),
		OnPongReceived:  func(ctx context.Context, payload []byte) { pong(ctx, payload) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(-1)
	stream.frame = nil // of the handshake
	for {
		stream.unfinished = 0
		kind, r, err := ws.Reader(context.Background())
		var payload []byte
		if err == nil {
			payload, err = readMessage(r, l.Message)
			switch {
			case errors.Is(err, errTooBig):
				events = append(events, describe(Event{Kind: TooBig}))
				stream.closing = true
				_, err = io.Copy(io.Discard, r)
			case err == nil:
				event := Event{Kind: Text, Data: payload}
				if kind == websocket.MessageBinary {
					event.Kind = Binary
				}
				events = append(events, describe(event))
			}
		}
		if err != nil {
			return append(events, stream.end(err)...)
		}
	}
}

var (
	errTooBig  = errors.New("too big")
	errEndless = errors.New("endless")
)

// readMessage is the gateway's.
func readMessage(r io.Reader, limit int) (buf []byte, err error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(512, cap(buf)))...)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):min(cap(buf), limit+1)])
		buf = buf[:len(buf)+n]
		if len(buf) > limit {
			return buf[:0], errTooBig
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// memory is a connection that has data to read, a byte at a time: so what has
// been read is what was needed, to the byte.
type memory struct {
	net.Conn
	data       []byte
	wire       int
	unfinished int
	closing    bool
	frame      []byte // the last that was written
}

func (m *memory) Read(p []byte) (int, error) {
	if m.unfinished > m.wire && !m.closing {
		return 0, errEndless
	}
	if len(m.data) == 0 {
		return 0, io.ErrUnexpectedEOF // as the gateway's does
	}
	n := copy(p[:1], m.data)
	m.data = m.data[n:]
	m.unfinished += n
	return n, nil
}

func (m *memory) Write(p []byte) (int, error) {
	m.frame = append([]byte(nil), p...)
	return len(p), nil
}

func (m *memory) Close() error                     { return nil }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

// end says what an error of package websocket's reader means.
func (m *memory) end(err error) []string {
	switch code := websocket.CloseStatus(err); {
	case errors.Is(err, errEndless):
		return []string{describe(Event{Kind: Endless})}
	case code == websocket.StatusNoStatusRcvd:
		return []string{describe(Event{Kind: Close})}
	case code != -1:
		return []string{describe(Event{Kind: Close, Data: m.frame[2:]})} // its echo
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil
	}
	// An unmasked frame and a negative length are answered by the gateway.
	if m.frame != nil && (m.frame[0] != 0x88 || m.frame[2] != 1002>>8 || m.frame[3] != 1002&0xff) {
		return []string{"answered with another frame than a close 1002"}
	}
	return []string{describe(Event{Kind: Broken})}
}

type hijacker struct {
	http.ResponseWriter
	conn net.Conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReaderSize(h.conn, 512), bufio.NewWriterSize(h.conn, 4096)), nil
}
