package gateway

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// stream is what package websocket sees of a connection: it does the handshake
// and reads; its writes, each one whole control frame, go to the control lane,
// so that they never end up inside a data frame.
type stream struct {
	net.Conn
	c        *conn
	arrivals *socket.Arrivals // nil: read from Conn
	early    []byte           // what arrived together with the handshake

	unfinished int // bytes since the last message or ping; owned by the reader
}

// wirePerByte is how many bytes of frames a byte of a message may cost: as many
// as when each is a frame of its own. Beyond it a message is one that never
// ends, of empty frames, which package websocket would read for ever.
const wirePerByte = 8

var errEndless = errors.New("a message that does not end")

func (s *stream) Read(p []byte) (int, error) {
	if s.unfinished > wirePerByte*s.c.gw.limits.MessageSize+readBuffer && !s.c.isClosing() {
		s.c.close(CloseDecode, errEndless.Error())
		return 0, errEndless
	}
	n, err := s.read(p)
	s.unfinished += n
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // which package websocket would take for the end of a message in fragments
	}
	return n, err
}

func (s *stream) read(p []byte) (int, error) {
	switch {
	case len(s.early) > 0:
		n := copy(p, s.early)
		if s.early = s.early[n:]; len(s.early) == 0 {
			s.early = nil
		}
		return n, nil
	case s.arrivals != nil:
		return s.arrivals.Read(p)
	default:
		return s.Conn.Read(p)
	}
}

// await returns when there is something to read, or an error to be met by
// reading. The reader calls it between messages: it waits there for most of its
// life, and its stack is small there.
func (s *stream) await() {
	if len(s.early) == 0 && s.arrivals != nil {
		s.arrivals.Wait()
	}
}

// Write takes exactly one control frame, because the buffer in front of it
// holds more than the largest. It never blocks.
func (s *stream) Write(frame []byte) (int, error) {
	switch frame[0] {
	case framePong:
		s.c.sendPong(frame)
	case frameClose:
		// An echo of the client's, or package websocket's word on a frame that
		// breaks the protocol. The reader learns which.
		s.c.latchFrame(nil, checkClose(frame))
		s.c.flushNow()
	}
	return len(frame), nil
}

// checkClose returns a copy of a close frame, or of one that refuses its
// reason for not being UTF-8, which package websocket does not look at.
func checkClose(frame []byte) []byte {
	if len(frame) > 4 && !utf8.Valid(frame[4:]) {
		return appendCloseFrame(nil, closeBadText, "")
	}
	return append([]byte(nil), frame...)
}

// Close wakes a read in progress. The socket is closed by the connection's
// last writer, so that a close frame gets out before.
func (s *stream) Close() error { return s.Conn.SetReadDeadline(time.Unix(1, 0)) }

// The buffers of a connection: net/http's have 4 KB each.
const (
	readBuffer  = 16  // the least there is: a frame's header; arrivals hold the rest while there is any
	writeBuffer = 136 // the largest control frame has 127 bytes
)

// hijackable reports whether a ResponseWriter, or one that it wraps, gives its
// connection away.
func hijackable(w http.ResponseWriter) bool {
	for {
		if _, ok := w.(http.Hijacker); ok {
			return true
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = wrapper.Unwrap()
	}
}

// hijacker hands package websocket a stream in place of the connection.
type hijacker struct {
	http.ResponseWriter
	stream *stream
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	// Deadlines of the http.Server are of its requests.
	if err := nc.SetDeadline(time.Time{}); err != nil {
		nc.Close()
		return nil, nil, err
	}
	if n := brw.Reader.Buffered(); n > 0 {
		early, _ := brw.Reader.Peek(n)
		h.stream.early = append([]byte(nil), early...)
	}
	h.stream.Conn, h.stream.arrivals = nc, socket.NewArrivals(nc)
	return h.stream, bufio.NewReadWriter(
		bufio.NewReaderSize(h.stream, readBuffer),
		bufio.NewWriterSize(h.stream, writeBuffer),
	), nil
}
