package servers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// NginxServer is an nginx with one worker.
type NginxServer struct {
	*Server
	path    string
	state   string // address where it says which configuration it has
	http    func(addr string) string
	version int // of the configuration
	reloads int // each of which one worker did not outlive
}

// Nginx starts an nginx. What http returns stands in the http block of its configuration; addr is where a server block is
// to listen, as host:port, and Addr returns.
func Nginx(t testing.TB, http func(addr string) string) *NginxServer {
	t.Helper()
	path := program(t, "nginx", debianNginx)
	s := &NginxServer{
		Server: newServer(t, "nginx", address(0, freePort(t, 1))),
		path:   path, state: address(0, freePort(t, 1)), http: http,
	}
	s.command = func() *exec.Cmd {
		return exec.Command(path, "-p", s.dir, "-c", s.file(), "-e", "stderr")
	}
	s.ready = s.says
	s.write()
	s.Start()
	return s
}

// Reload gives it another configuration, as `nginx -s reload` does, and returns when no new connection comes under the one
// before. Those that are open stay with it until they end.
func (s *NginxServer) Reload(http func(addr string) string) {
	s.t.Helper()
	s.http = http
	s.version++
	s.write()
	if s.process == nil {
		s.Start()
		return
	}
	s.reloads++
	s.run(exec.Command(s.path, "-s", "reload", "-p", s.dir, "-c", s.file(), "-e", "stderr"))
	s.await()
}

func (s *NginxServer) file() string { return filepath.Join(s.dir, "nginx.conf") }

// write writes the configuration, and fails the test if nginx does not take it.
func (s *NginxServer) write() {
	s.t.Helper()
	config := fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
access_log off;
client_body_temp_path %[1]s/body;
proxy_temp_path %[1]s/proxy;
fastcgi_temp_path %[1]s/fastcgi;
uwsgi_temp_path %[1]s/uwsgi;
scgi_temp_path %[1]s/scgi;
server { listen %[2]s; return 200 "version %[3]d\n"; }
%[4]s
}
`, s.dir, s.state, s.version, s.http(s.addr))
	if os.Getuid() == 0 {
		config = "user root;\n" + config // its worker is to read this folder
	}
	if err := os.WriteFile(s.file(), []byte(config), 0o644); err != nil {
		s.t.Fatalf("servers: %v", err)
	}
	s.run(exec.Command(s.path, "-t", "-q", "-p", s.dir, "-c", s.file(), "-e", "stderr"))
}

// says fails unless the worker has the last configuration and the ones before it take nothing any more.
func (s *NginxServer) says(ctx context.Context) error {
	want := fmt.Sprintf("version %d\n", s.version)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.state, nil)
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("nginx says %q, want %q", got, want)
	}
	log, err := os.ReadFile(s.logName())
	if err != nil {
		return err
	}
	if n := strings.Count(string(log), "gracefully shutting down"); n < s.reloads {
		return fmt.Errorf("%d of %d workers have been told to stop", n, s.reloads)
	}
	return nil
}
