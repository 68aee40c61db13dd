package servers

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// host is the nth address (0 to 3) of the loopback network that belongs to this process alone.
//
// A port of 127.0.0.1 that was free a moment ago may be anybody's now: another test's server, or the near end of somebody's
// connection while a server is down between Kill and Start. Connections do not start from any other loopback address, so on an
// address made of this process' number a port stays free until its server comes. Systems other than Linux have 127.0.0.1 only.
func host(n int) string {
	if runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	pid := os.Getpid() // at most 22 bits
	return net.IPv4(127, byte(pid>>14), byte(pid>>6), byte(pid<<2|n)).String()
}

// Address is one at which nobody listens, for what a test starts itself, and again after it was killed: nobody else gets it.
func Address(t testing.TB) string {
	t.Helper()
	return address(0, freePort(t, 1))
}

var ports = struct {
	sync.Mutex
	taken map[int]bool
}{taken: map[int]bool{}}

// freePort is a port that is free on the first n addresses of this process. It is never given again.
func freePort(t testing.TB, n int) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range 100 {
		if port, ok := tryPort(t, n); ok && !ports.taken[port] {
			ports.taken[port] = true
			return port
		}
	}
	t.Fatal("servers: no free port in 100 tries")
	return 0
}

func tryPort(t testing.TB, n int) (port int, ok bool) {
	t.Helper()
	for i := range n {
		listener, err := net.Listen("tcp", address(i, port))
		if err != nil && port == 0 {
			t.Fatalf("servers: listen: %v", err)
		}
		if err != nil {
			return 0, false
		}
		defer listener.Close()
		port = listener.Addr().(*net.TCPAddr).Port
	}
	return port, true
}

// address is host and port of this process' nth host.
func address(n, port int) string { return net.JoinHostPort(host(n), strconv.Itoa(port)) }

// split takes an address apart that address put together.
func split(addr string) (host, port string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		panic(fmt.Sprintf("servers: %v", err))
	}
	return host, port
}
