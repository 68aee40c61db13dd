package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// firstFD is where a service manager puts the sockets that it hands over.
const firstFD = 3

// listen returns the socket that a service manager holds for this process, as
// sd_listen_fds(3) has it, or one of the process' own. What connects to an
// inherited one while nobody accepts waits in the kernel: a restart refuses nobody.
func listen(addr string) (ln net.Listener, inherited bool, err error) {
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) { // not set, or for our parent
		ln, err = net.Listen("tcp", addr)
		return ln, false, listenError(addr, err)
	}
	if n := os.Getenv("LISTEN_FDS"); n != "1" {
		return nil, true, fmt.Errorf("LISTEN_FDS is %q: one socket is expected", n)
	}
	f := os.NewFile(firstFD, "LISTEN_FDS")
	defer f.Close() // the listener has a copy
	if ln, err = net.FileListener(f); err != nil {
		return nil, true, fmt.Errorf("the socket in LISTEN_FDS cannot be used: %w", err)
	}
	return ln, true, nil
}

// listenError says in one line what to do.
func listenError(addr string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by another program: choose another address with -addr, for instance -addr 127.0.0.1:0", addr)
	}
	return fmt.Errorf("cannot listen at %s: %w", addr, err)
}

// urlOf is where a browser on this machine finds the server.
func urlOf(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if net.ParseIP(host).IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
