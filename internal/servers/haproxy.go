package servers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// HAProxy starts an HAProxy. What config returns is all of its configuration but the sections global and defaults; addr is
// where a frontend is to bind, as host:port, and Addr returns.
func HAProxy(t testing.TB, config func(addr string) string) *Server {
	t.Helper()
	path := program(t, "haproxy", debianHAProxy)
	s := newServer(t, "haproxy", address(0, freePort(t, 1)))
	file := filepath.Join(s.dir, "haproxy.cfg")
	text := "global\n    log stderr format raw local0 warning\n\ndefaults\n    log global\n\n" + config(s.addr)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatalf("servers: %v", err)
	}
	s.run(exec.Command(path, "-c", "-q", "-f", file))
	s.command = func() *exec.Cmd { return exec.Command(path, "-db", "-f", file) }
	s.ready = func(ctx context.Context) error {
		conn, err := dial(ctx, s.addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	s.Start()
	return s
}
