package gatewaytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// ends returns both ends of a new link.
func ends(t *testing.T, o NetworkOptions) (client, server *Conn) {
	t.Helper()
	n := NewNetwork(o)
	ln := n.Listen("gateway")
	t.Cleanup(func() { ln.Close() })
	client, err := n.Dial(t.Context(), "gateway")
	if err != nil {
		t.Fatal(err)
	}
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); nc.Close() })
	return client, nc.(*Conn)
}

// read reads n bytes, or until an error, which is returned with what came.
func read(c net.Conn, n int) (string, error) {
	b := make([]byte, n)
	got, err := io.ReadFull(c, b)
	return string(b[:got]), err
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// bubble runs a test of a link with time that only passes when all wait.
func bubble(t *testing.T, name string, o NetworkOptions, f func(t *testing.T, client, server *Conn)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, server := ends(t, o)
			f(t, client, server)
		})
	})
}

func TestLink(t *testing.T) {
	none := NetworkOptions{}
	bubble(t, "both ways", none, func(t *testing.T, client, server *Conn) {
		write(t, client, "ping")
		if got, err := read(server, 4); got != "ping" {
			t.Errorf("server got %q, %v", got, err)
		}
		write(t, server, "pong")
		if got, err := read(client, 4); got != "pong" {
			t.Errorf("client got %q, %v", got, err)
		}
		if l := client.Link(); l.Sent() != 4 || l.Received() != 4 || l != server.Link() || !l.Alive() {
			t.Errorf("sent %d, received %d", l.Sent(), l.Received())
		}
		if client.LocalAddr().String() != server.RemoteAddr().String() || client.RemoteAddr().String() != "gateway" {
			t.Errorf("addresses %v, %v", client.LocalAddr(), client.RemoteAddr())
		}
	})
	bubble(t, "delay", NetworkOptions{Delay: time.Second, Jitter: time.Second}, func(t *testing.T, client, server *Conn) {
		began := time.Now()
		for _, text := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			write(t, client, text)
		}
		client.CloseWrite()
		got, err := io.ReadAll(server)
		if string(got) != "abcdefgh" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if d := time.Since(began); d < time.Second || d >= 2*time.Second {
			t.Errorf("under way for %v", d)
		}
	})
	bubble(t, "half-close", none, func(t *testing.T, client, server *Conn) {
		write(t, client, "bye")
		client.CloseWrite()
		if got, err := io.ReadAll(server); string(got) != "bye" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		write(t, server, "and you")
		if got, _ := read(client, 7); got != "and you" {
			t.Errorf("got %q", got)
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write after CloseWrite: %v", err)
		}
	})
	bubble(t, "close", none, func(t *testing.T, client, server *Conn) {
		write(t, client, "bye")
		client.Close()
		if got, err := io.ReadAll(server); string(got) != "bye" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := server.Write([]byte("x")); err != nil {
			t.Errorf("the first write to nobody: %v", err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the second: %v", err)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
	})
	bubble(t, "close with bytes unread", none, func(t *testing.T, client, server *Conn) {
		write(t, server, "unread")
		client.Close()
		if _, err := read(server, 1); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v", err)
		}
	})
	bubble(t, "a full buffer", NetworkOptions{Buffer: 10}, func(t *testing.T, client, server *Conn) {
		if n, err := server.TryWrite([]byte("0123456789abcdef")); n != 10 || err != nil {
			t.Fatalf("took %d, %v", n, err)
		}
		if n, err := server.TryWrite([]byte("abcdef")); n != 0 || err != nil {
			t.Fatalf("took %d, %v", n, err)
		}
		done := make(chan error, 1)
		go func() { _, err := server.Write([]byte("abcdef")); done <- err }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("Write did not wait: %v", err)
		default:
		}
		if got, _ := read(client, 16); got != "0123456789abcdef" {
			t.Errorf("got %q", got)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	bubble(t, "deadlines", NetworkOptions{Buffer: 1}, func(t *testing.T, client, server *Conn) {
		began := time.Now()
		client.SetDeadline(began.Add(time.Second))
		_, err := read(client, 1)
		var ne net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() || time.Since(began) != time.Second {
			t.Errorf("read: %v after %v", err, time.Since(began))
		}
		if n, err := client.Write([]byte("ab")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %d, %v", n, err)
		}
		client.SetDeadline(time.Time{})
		go func() { time.Sleep(time.Second); client.SetReadDeadline(time.Unix(1, 0)) }()
		if _, err := read(client, 1); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a read in progress: %v", err)
		}
	})
}

func TestFaults(t *testing.T) {
	none := NetworkOptions{}
	bubble(t, "kill", NetworkOptions{Delay: time.Second}, func(t *testing.T, client, server *Conn) {
		write(t, server, "arrives")
		time.Sleep(2 * time.Second)
		write(t, server, "is lost")
		client.Link().Kill()
		if got, err := read(client, 14); got != "arrives" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := server.TryWrite([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("TryWrite: %v", err)
		}
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read: %v", err)
		}
		if client.Link().Alive() {
			t.Error("alive")
		}
	})
	bubble(t, "kill in the middle of a frame", NetworkOptions{Delay: time.Second}, func(t *testing.T, client, server *Conn) {
		write(t, server, "12")
		client.Link().KillAfterSent(3)
		if n, err := server.TryWrite([]byte("345678")); n != 3 || err != nil {
			t.Errorf("took %d, %v", n, err)
		}
		if _, err := server.Write([]byte("678")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the rest: %v", err)
		}
		if got, err := read(client, 8); got != "12345" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %q, %v", got, err)
		}
	})
	bubble(t, "kill in the middle of a request", none, func(t *testing.T, client, server *Conn) {
		client.Link().KillAfterReceived(2)
		if n, err := client.Write([]byte("345")); n != 2 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("wrote %d, %v", n, err)
		}
		if got, err := read(server, 3); got != "34" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %q, %v", got, err)
		}
	})
	bubble(t, "partition", none, func(t *testing.T, client, server *Conn) {
		client.Link().Partition()
		write(t, server, "later")
		server.Close()
		began := time.Now()
		time.AfterFunc(time.Hour, client.Link().Heal)
		write(t, client, "nobody hears that")
		if got, err := io.ReadAll(client); string(got) != "later" || err != nil || time.Since(began) != time.Hour {
			t.Errorf("got %q, %v after %v", got, err, time.Since(began))
		}
	})
	bubble(t, "stall", NetworkOptions{Buffer: 4}, func(t *testing.T, client, server *Conn) {
		client.Link().Stall()
		if n, err := server.TryWrite([]byte("123456")); n != 4 || err != nil {
			t.Errorf("took %d, %v", n, err)
		}
		write(t, client, "up") // the other way is open
		if got, _ := read(server, 2); got != "up" {
			t.Errorf("got %q", got)
		}
		time.AfterFunc(time.Minute, client.Link().Heal)
		began := time.Now()
		if got, err := read(client, 4); got != "1234" || time.Since(began) != time.Minute {
			t.Errorf("got %q, %v after %v", got, err, time.Since(began))
		}
	})
	bubble(t, "short write", none, func(t *testing.T, client, server *Conn) {
		write(t, server, "ab")
		client.Link().Short(2, time.Second)
		if n, err := server.TryWrite([]byte("cdef")); n != 2 || err != nil {
			t.Errorf("took %d, %v", n, err)
		}
		if n, err := server.TryWrite([]byte("ef")); n != 0 || err != nil {
			t.Errorf("took %d while held, %v", n, err)
		}
		began := time.Now()
		write(t, server, "ef")
		if got, _ := read(client, 6); got != "abcdef" || time.Since(began) != time.Second {
			t.Errorf("got %q after %v", got, time.Since(began))
		}
		if n, _ := server.TryWrite([]byte("ghij")); n != 4 {
			t.Errorf("took %d afterwards", n)
		}
	})
	bubble(t, "short write, past its place", none, func(t *testing.T, client, server *Conn) {
		client.Link().Short(2, time.Second)
		write(t, server, "abcdef")
		if n, err := server.TryWrite([]byte("gh")); n != 0 || err != nil {
			t.Errorf("took %d, %v", n, err)
		}
		write(t, server, "gh")
		if got, _ := read(client, 8); got != "abcdefgh" {
			t.Errorf("got %q", got)
		}
	})
	bubble(t, "lag", none, func(t *testing.T, client, server *Conn) {
		client.Link().Lag(time.Second)
		client.Link().Short(1, 0)
		began := time.Now()
		go func() {
			if got, err := read(client, 1); got != "a" || !time.Now().Equal(began) {
				t.Errorf("got %q, %v after %v", got, err, time.Since(began))
			}
		}()
		if n, err := server.TryWrite([]byte("ab")); n != 1 || err != nil || time.Since(began) != time.Second {
			t.Errorf("took %d, %v after %v", n, err, time.Since(began))
		}
		client.Link().Heal()
		if n, err := server.TryWrite([]byte("b")); n != 1 || err != nil || time.Since(began) != time.Second {
			t.Errorf("took %d, %v after %v", n, err, time.Since(began))
		}
	})
	bubble(t, "squeeze", none, func(t *testing.T, client, server *Conn) {
		client.Link().Squeeze(1)
		go func() { io.WriteString(server, strings.Repeat("x", 100)) }()
		synctest.Wait()
		if n := client.Link().Sent(); n != 1 {
			t.Errorf("%d bytes in a window of one", n)
		}
		if got, err := read(client, 100); len(got) != 100 {
			t.Errorf("got %d, %v", len(got), err)
		}
	})
}

func TestDialNobody(t *testing.T) {
	n := NewNetwork(NetworkOptions{})
	if _, err := n.Dial(t.Context(), "nobody"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	ln := n.Listen("somebody")
	waiting, err := n.Dial(t.Context(), "somebody")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("not accepted: %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	n.Listen("somebody").Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Dial(ctx, "somebody"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What Disturb does follows from the seed alone, and links that are gone are
// left in peace.
func TestDisturb(t *testing.T) {
	did := func(seed uint64) string {
		var log bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			n := NewNetwork(NetworkOptions{Seed: seed})
			ln := n.Listen("gateway")
			defer ln.Close()
			for range 20 {
				c, err := n.Dial(t.Context(), "gateway")
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			}
			for range 30 {
				log.WriteString(n.Disturb() + "\n")
			}
			if left := len(n.Links()); left == 20 || left == 0 {
				t.Errorf("%d links live", left)
			}
		})
		return log.String()
	}
	one := did(1)
	if one != did(1) || one == did(2) {
		t.Errorf("seeds do not decide:\n%s", one)
	}
	for _, what := range []string{"killed\n", "killed when", "partitioned", "stalled", "squeezed", "short", "lagging"} {
		if !strings.Contains(one, what) {
			t.Errorf("30 times nothing was %s", what)
		}
	}
}
