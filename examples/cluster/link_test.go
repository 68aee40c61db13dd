package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// Nothing comes through a link that is cut, and connections that have lost something
// end when it is mended.
func TestLink(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // says back what it hears
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go io.Copy(conn, conn)
		}
	}()
	l, err := newLink(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()

	before := call(t, l)
	if err := before("hello", 10*time.Second); err != nil {
		t.Fatalf("a whole link: %v", err)
	}
	l.set(true)
	if before("lost", 50*time.Millisecond) == nil {
		t.Error("a link that is cut lets something through")
	}
	during := call(t, l)
	if during("lost", 50*time.Millisecond) == nil {
		t.Error("a link that is cut takes connections")
	}
	l.set(false)
	if before("late", 10*time.Second) == nil {
		t.Error("a connection goes on that has lost something")
	}
	if during("late", 10*time.Second) == nil {
		t.Error("a connection goes on that was never there")
	}
	if err := call(t, l)("again", 10*time.Second); err != nil {
		t.Errorf("a mended link: %v", err)
	}
}

// call dials, and returns what says a line and waits for it to come back.
func call(t *testing.T, l *link) func(line string, within time.Duration) error {
	conn, err := net.Dial("tcp", l.addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	answers := bufio.NewReader(conn)
	return func(line string, within time.Duration) error {
		conn.SetDeadline(time.Now().Add(within))
		if _, err := fmt.Fprintln(conn, line); err != nil {
			return err
		}
		got, err := answers.ReadString('\n')
		if err == nil && got != line+"\n" {
			err = fmt.Errorf("%q came back", got)
		}
		return err
	}
}
