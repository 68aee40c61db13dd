package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// chat is examples/chat as a process, at a socket that outlives it: what a
// service manager holds for it.
type chat struct {
	binary, dir string
	ln          *net.TCPListener // nobody accepts here
	socket      *os.File         // a copy of it, for the process
	url         string
	cmd         *exec.Cmd
	log         *output
}

// buildChat builds the binary once for all tests.
var buildChat = sync.OnceValues(func() (string, error) { return build("../../examples/chat", "chat") })

// build builds a command of this repository.
func build(dir, name string) (string, error) {
	binary, err := filepath.Abs(filepath.Join(".build", name))
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-C", dir, "-o", binary, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build %s: %w\n%s", dir, err, out)
	}
	return binary, err
}

// startChat starts a server with files of its own, which ends with the test.
func startChat(t *testing.T) *chat {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("sockets are not handed over there")
	}
	binary, err := buildChat()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &chat{binary: binary, dir: t.TempDir(), ln: ln.(*net.TCPListener), url: "http://" + ln.Addr().String(), log: new(output)}
	if c.socket, err = c.ln.File(); err != nil {
		t.Fatal(err)
	}
	c.start(t)
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		c.cmd.Wait()
		c.socket.Close()
		c.ln.Close()
		if t.Failed() {
			t.Logf("the chat said:\n%s", c.log)
		}
	})
	return c
}

// start starts the process and waits until it answers.
func (c *chat) start(t *testing.T) {
	t.Helper()
	// LISTEN_PID is the process' own, which only it knows.
	c.cmd = exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, c.binary,
		"-data", filepath.Join(c.dir, "chat.db"), "-state", filepath.Join(c.dir, "chat.state"))
	c.cmd.Env = append(os.Environ(), "LISTEN_FDS=1")
	c.cmd.ExtraFiles = []*os.File{c.socket} // the first is descriptor 3
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: patience}
	resp, err := client.Get(c.url + "/healthz") // waits in the kernel
	if err != nil {
		t.Fatalf("the chat does not answer: %v\n%s", err, c.log)
	}
	resp.Body.Close()
}

// restart has the process drain and end, and starts another at the same socket
// with the same files.
func (c *chat) restart(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Fatalf("the chat ended with %v\n%s", err, c.log)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "chat.state")); err != nil {
		t.Fatalf("the chat left no state: %v\n%s", err, c.log)
	}
	c.start(t)
}

// as returns somebody who uses the chat's HTTP API, with a connection for each
// request: one that comes during a restart waits in the kernel.
func (c *chat) as(name string) *person {
	return &person{api: c.url + "/api/v10", token: name, http: http.Client{
		Timeout: 3 * patience, Transport: &http.Transport{DisableKeepAlives: true}}}
}

type person struct {
	api, token string
	http       http.Client
}

// call decodes an answer of the API.
func (p *person) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, p.api+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", p.token)
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	return err
}

// said returns what is in a channel, oldest first.
func (p *person) said(t *testing.T, channel string) (contents []string) {
	t.Helper()
	after := "0"
	for {
		var page []struct{ ID, Content string }
		if err := p.call("GET", "/channels/"+channel+"/messages?limit=100&after="+after, nil, &page); err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return contents
		}
		after = page[0].ID // newest first
		for i := len(page) - 1; i >= 0; i-- {
			contents = append(contents, page[i].Content)
		}
	}
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
