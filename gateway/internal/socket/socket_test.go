package socket

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// pair returns both ends of a TCP connection on loopback.
func pair(t testing.TB) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

func TestTryWriteNeverBlocks(t *testing.T) {
	if !straightWrites {
		t.Skip("this platform has no straight writes")
	}
	server, client := pair(t)
	s := New(server)
	block := bytes.Repeat([]byte{7}, 64<<10)
	total := 0
	for {
		n, err := s.TryWrite(block)
		total += n
		if errors.Is(err, ErrWouldBlock) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if total > 64<<20 {
			t.Fatal("a reader that reads nothing took 64 MB")
		}
	}
	if runtime.GOOS == "linux" && total > 3<<20 {
		t.Errorf("the kernel took %d bytes for a stalled reader", total)
	}
	// The rest waits for the reader, and then straight writes go on.
	done := make(chan error, 1)
	go func() { done <- s.Write(block) }()
	if _, err := io.CopyN(io.Discard, client, int64(total+len(block))); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n, err := s.TryWrite([]byte("x")); n != 1 || err != nil {
		t.Errorf("TryWrite after Write: %d, %v", n, err)
	}
}

func TestTryWriteDoesNotAllocate(t *testing.T) {
	if !straightWrites {
		t.Skip("this platform has no straight writes")
	}
	server, client := pair(t)
	go io.Copy(io.Discard, client)
	s := New(server)
	p := make([]byte, 64)
	if n := testing.AllocsPerRun(1000, func() { s.TryWrite(p) }); n >= 1 {
		t.Errorf("%v allocations a write", n)
	}
}

func TestOtherConnectionsAreWrittenByBlockingOnly(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	s := New(server)
	if n, err := s.TryWrite([]byte("x")); n != 0 || err != ErrWouldBlock {
		t.Fatalf("TryWrite: %d, %v", n, err)
	}
	got := make(chan []byte)
	go func() {
		b := make([]byte, 40<<10)
		io.ReadFull(client, b)
		got <- b
	}()
	want := bytes.Repeat([]byte{1, 2, 3, 4}, 10<<10)
	if err := s.Write(want); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(<-got, want) {
		t.Error("other bytes arrived")
	}
}

func TestCloseEndsAWrite(t *testing.T) {
	server, _ := pair(t)
	s := New(server)
	done := make(chan error, 1)
	go func() { done <- s.Write(make([]byte, 64<<20)) }()
	<-time.After(20 * time.Millisecond)
	s.Close()
	if err := <-done; err == nil {
		t.Error("Write returned without an error")
	}
	if err := s.Write([]byte("x")); err == nil {
		t.Error("Write works on a closed socket")
	}
}

// Write waits for a slow peer as long as it takes something now and then, gives
// up on one that takes nothing, and leaves no deadline behind.
func TestStall(t *testing.T) {
	server, client := pair(t)
	s := New(server)
	s.stall = 100 * time.Millisecond
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- s.Write(make([]byte, 8<<20)) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for read := int64(0); read < 8<<20; {
		<-tick.C
		n, err := io.CopyN(io.Discard, client, min(8<<20-read, 512<<10))
		if err != nil {
			t.Fatal(err)
		}
		read += n
	}
	if err := <-done; err != nil {
		t.Fatalf("a slow peer was given up after %v: %v", time.Since(began), err)
	}
	for range 10 { // longer than the deadline of the last wait
		<-tick.C
	}
	if _, err := s.TryWrite([]byte("x")); err != nil && err != ErrWouldBlock {
		t.Errorf("TryWrite long after Write: %v", err)
	}
	if err := s.Write(make([]byte, 64<<20)); err == nil {
		t.Error("a peer that takes nothing was waited for")
	}
}
