package nginx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ErrNotInstalled is returned by New.
var ErrNotInstalled = errors.New("nginx is not installed: on Debian and Ubuntu, apt install nginx-light; elsewhere see https://nginx.org/en/download.html")

// Process is an nginx with a folder of its own. One goroutine at a time uses it. Make it with [New].
type Process struct {
	program string
	dir     string
	state   *http.Client // asks it which configuration it has
	version int
	process *exec.Cmd     // nil until the first configuration
	log     bytes.Buffer  // to be read when it has ended
	ended   chan struct{} // closed when it has
}

// New finds nginx, and makes its folder. Close removes it.
func New() (*Process, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		return nil, ErrNotInstalled
	}
	dir, err := os.MkdirTemp("", "gatehouse-nginx-")
	if err != nil {
		return nil, err
	}
	n := &Process{program: program, dir: dir, ended: make(chan struct{})}
	n.state = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", n.socket())
		},
	}}
	return n, nil
}

func (n *Process) socket() string { return filepath.Join(n.dir, "state") }

// command is nginx with its own folder and configuration.
func (n *Process) command(args ...string) *exec.Cmd {
	return exec.Command(n.program, append([]string{"-p", n.dir, "-c", filepath.Join(n.dir, "nginx.conf"), "-e", "stderr"}, args...)...)
}

// Use starts nginx with a configuration of its http block, or has it use another, and returns when no connection comes
// under the one before any more. Those that are open are not touched.
func (n *Process) Use(ctx context.Context, config string) error {
	n.version++
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // as who started this: its worker is to read this folder
	}
	text := fmt.Sprintf(`%s
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid %[2]s/pid;
events { worker_connections 32768; }
http {
access_log off;
client_body_temp_path %[2]s/body;
proxy_temp_path %[2]s/proxy;
fastcgi_temp_path %[2]s/fastcgi;
uwsgi_temp_path %[2]s/uwsgi;
scgi_temp_path %[2]s/scgi;
server { listen unix:%[3]s; return 200 "%[4]d"; }
%[5]s
}
`, user, n.dir, n.socket(), n.version, config)
	if err := os.WriteFile(filepath.Join(n.dir, "nginx.conf"), []byte(text), 0o644); err != nil {
		return err
	}
	if n.process == nil {
		n.process = n.command()
		apart(n.process)
		n.process.Stdout, n.process.Stderr = &n.log, &n.log
		if err := n.process.Start(); err != nil {
			n.process = nil
			return err
		}
		go func() {
			n.process.Wait()
			close(n.ended)
		}()
	} else if out, err := n.command("-s", "reload").CombinedOutput(); err != nil {
		return fmt.Errorf("reload nginx: %w: %s", err, out)
	}
	return n.settle(ctx)
}

// Ended is closed when nginx has ended, whoever ended it.
func (n *Process) Ended() <-chan struct{} { return n.ended }

// settle waits until nginx has the last configuration. The worker that has the one before goes on to accept for a tenth
// of a second beside the new one: it is gone when it has not answered twenty times in a row.
func (n *Process) settle(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for inARow := 0; inARow < 20; {
		select {
		case <-tick.C:
		case <-n.ended:
			return fmt.Errorf("nginx has ended: %s", n.log.Bytes())
		case <-ctx.Done():
			return ctx.Err()
		}
		if inARow++; n.has(ctx) != n.version {
			inARow = 0
		}
	}
	return nil
}

// has is the version that a worker answers with; 0: it does not answer.
func (n *Process) has(ctx context.Context) (version int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://nginx/", nil)
	if err != nil {
		return 0
	}
	resp, err := n.state.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	fmt.Sscan(string(body), &version)
	return version
}

// Close ends nginx, by its own process id, and its folder. The error says why it had ended before, if it had.
func (n *Process) Close() (err error) {
	if n.process != nil {
		select {
		case <-n.ended:
			err = fmt.Errorf("nginx has ended: %s", n.log.Bytes())
		default:
			err = n.process.Process.Signal(syscall.SIGTERM)
			<-n.ended
		}
	}
	return errors.Join(err, os.RemoveAll(n.dir))
}
