package socket

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"
)

// Whatever a slow reader does to it, every byte arrives once and in order.
func TestBytesArriveInOrder(t *testing.T) {
	onStraight(t, func(t *testing.T, s *Socket, _ net.Conn, client io.Reader) {
		want := pattern(6 << 20)
		read := make(chan error, 1)
		go func() {
			got, rnd := make([]byte, len(want)), rand.New(rand.NewPCG(1, 0))
			for n := 0; n < len(got); {
				<-time.After(time.Duration(rnd.IntN(500)) * time.Microsecond)
				m, err := io.ReadFull(client, got[n:min(len(got), n+1+rnd.IntN(200_000))])
				if n += m; err != nil {
					read <- err
					return
				}
			}
			if !bytes.Equal(got, want) {
				read <- errors.New("other bytes")
			}
			close(read)
		}()
		rnd, blocked := rand.New(rand.NewPCG(2, 0)), 0
		for p := want; len(p) > 0; {
			part := p[:min(len(p), 1+rnd.IntN(150_000))]
			n, err := s.TryWrite(part)
			if (err == ErrWouldBlock) != (n < len(part)) {
				t.Fatalf("%d of %d, %v", n, len(part), err)
			}
			if err == ErrWouldBlock {
				blocked++
				if rnd.IntN(2) == 0 { // try again first: it may take one more part of it
					m, _ := s.TryWrite(part[n:])
					n += m
				}
				err = s.Write(part[n:])
				n = len(part)
			}
			if err != nil {
				t.Fatal(err)
			}
			p = p[n:]
		}
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		if blocked == 0 {
			t.Error("nothing ever blocked: this test shows nothing")
		}
	})
}

// With a reader that is stalled, TryWrite comes back at once and says so, again
// and again, and Write is not let go before all is out.
func TestStalledReader(t *testing.T) {
	onStraight(t, func(t *testing.T, s *Socket, _ net.Conn, client io.Reader) {
		want := pattern(16 << 20)
		total := fill(t, s, want)
		for range 3 {
			n, err := s.TryWrite(want[total : total+1000])
			if err != ErrWouldBlock || n == 1000 {
				t.Fatalf("TryWrite: %d, %v", n, err)
			}
			total += n
		}
		stuck := s.Progress()
		done := make(chan error, 1)
		go func() { done <- s.Write(want[total : total+200_000]) }()
		select {
		case err := <-done:
			t.Fatalf("Write returned, %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if now := s.Progress(); now-stuck > memoryRoom {
			t.Errorf("nothing is read, and %d bytes moved", now-stuck)
		}
		expect(t, client, want[:total+200_000])
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if s.Progress() <= stuck {
			t.Error("all is out, and there was no progress")
		}
		if n, err := s.TryWrite([]byte("x")); n != 1 || err != nil {
			t.Errorf("TryWrite after Write: %d, %v", n, err)
		}
	})
}

func TestCloseEndsAWrite(t *testing.T) {
	onStraight(t, func(t *testing.T, s *Socket, _ net.Conn, client io.Reader) {
		want := pattern(16 << 20)
		total := fill(t, s, want)
		done := make(chan error, 1)
		go func() { done <- s.Write(want[total:]) }()
		select {
		case err := <-done:
			t.Fatalf("Write returned, %v", err)
		case <-time.After(10 * time.Millisecond):
		}
		within(t, "Close", func() error { s.Close(); return nil })
		if err := within(t, "Write", func() error { return <-done }); err == nil {
			t.Error("Write returned without an error")
		}
		if n, err := s.TryWrite([]byte("x")); n != 0 || err == nil || err == ErrWouldBlock {
			t.Errorf("TryWrite on a closed socket: %d, %v", n, err)
		}
		if err := s.Write([]byte("x")); err == nil {
			t.Error("Write works on a closed socket")
		}
	})
}

func TestWriteOfNothing(t *testing.T) {
	onStraight(t, func(t *testing.T, s *Socket, _ net.Conn, client io.Reader) {
		if err := within(t, "Write", func() error { return s.Write(nil) }); err != nil {
			t.Error(err)
		}
		if n, err := s.TryWrite(nil); n != 0 || err != nil {
			t.Errorf("TryWrite: %d, %v", n, err)
		}
	})
}

func TestTryWriteDoesNotAllocate(t *testing.T) {
	onStraight(t, func(t *testing.T, s *Socket, _ net.Conn, client io.Reader) {
		go io.Copy(io.Discard, client)
		p := make([]byte, 64)
		if n := testing.AllocsPerRun(1000, func() { s.TryWrite(p) }); n >= 1 && !raceEnabled {
			t.Errorf("%v allocations a write", n)
		}
		s.Close()
	})
}

func TestOtherConnectionsAreWrittenByBlockingOnly(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	s := New(server)
	if n, err := s.TryWrite([]byte("x")); n != 0 || err != ErrWouldBlock || s.Straight() {
		t.Fatalf("TryWrite: %d, %v, straight %v", n, err, s.Straight())
	}
	want := pattern(40 << 10)
	done := make(chan error, 1)
	go func() { done <- s.Write(want) }()
	expect(t, client, want)
	if err := <-done; err != nil || s.Progress() != int64(len(want)) {
		t.Errorf("%v, progress %d", err, s.Progress())
	}
}

// hidden is a TCP connection that does not look like one.
type hidden struct{ net.Conn }

// Where Write has to watch by itself, it waits for a slow peer as long as it
// takes something now and then, gives up on one that takes nothing, and leaves
// no deadline behind.
func TestBlockingStall(t *testing.T) {
	server, client := pair(t)
	s := New(hidden{server})
	s.path.(*blocking).stall = 300 * time.Millisecond
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
	for range 20 { // longer than the deadline of the last wait
		<-tick.C
	}
	if _, err := server.Write([]byte("x")); err != nil {
		t.Errorf("a write long after: %v", err)
	}
	if err := s.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a peer that takes nothing: %v", err)
	}
	if err := s.Write([]byte("x")); err != net.ErrClosed {
		t.Errorf("after half of something: %v", err)
	}
}
