package socket

import (
	"io"
	"net"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// A number that was closed is another connection's at once (W2): whoever still
// writes to the socket that had it writes to nobody.
func TestClosedNumberIsNotWrittenTo(t *testing.T) {
	if !straight.Supported {
		t.Skip("no straight writes")
	}
	for range 50 {
		server, _ := pair(t)
		s := New(server)
		writing, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for first := true; ; first = false {
				_, err := s.TryWrite([]byte("somebody else's"))
				if first {
					close(writing)
				}
				if err != nil && err != ErrWouldBlock {
					return
				}
			}
		}()
		<-writing
		s.Close()
		heir, client := pair(t) // with the same number, which is the lowest that is free
		io.WriteString(heir, "its own")
		<-done
		if n, err := s.TryWrite([]byte("somebody else's")); n != 0 || err != net.ErrClosed {
			t.Errorf("TryWrite on a closed socket: %d, %v", n, err)
		}
		heir.Close()
		if got, err := io.ReadAll(client); string(got) != "its own" {
			t.Fatalf("the next connection was sent %q, %v", got, err)
		}
		client.Close()
	}
}

// Of a TCP connection the descriptor is left: whoever else has the net.Conn can
// neither write between frames nor close the number under a writer.
func TestTCPIsTakenOver(t *testing.T) {
	if !straight.Supported {
		t.Skip("no straight writes")
	}
	server, client := pair(t)
	s := New(server)
	if _, err := server.Write([]byte("in between")); err == nil {
		t.Error("the net.Conn can still be written to")
	}
	if err := server.Close(); err == nil {
		t.Error("the net.Conn was not closed")
	}
	if n, err := s.TryWrite([]byte("word")); n != 4 || err != nil {
		t.Errorf("TryWrite: %d, %v", n, err)
	}
	s.CloseWrite()
	expect(t, client, []byte("word"))
	io.WriteString(client, "answer")
	if got, err := NewReader(s, nil).Next(); string(got) != "answer" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after CloseWrite: %d, %v", n, err)
	}
	s.Close()
}
