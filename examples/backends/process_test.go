package main

import (
	"bufio"
	"bytes"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// patience is how long what must happen may take on a machine that is busy. Nothing waits for it to pass.
const patience = time.Minute

// chat is the command as a process, which may be ended and started again at its address.
type chat struct {
	t    *testing.T
	args []string
	url  string
	cmd  *exec.Cmd

	mu  sync.Mutex
	log bytes.Buffer
}

// build makes the command once, and returns where it is.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "backends")
	if out, err := exec.Command("go", "build", "-race", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// startChat runs a binary with a data file of its own until the test ends.
func startChat(t *testing.T, binary string, args ...string) *chat {
	t.Helper()
	c := &chat{t: t, args: append([]string{binary, "-data", filepath.Join(t.TempDir(), "chat.db")}, args...)}
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("the chat's log:\n%s", c.text())
		}
	})
	c.start()
	return c
}

func (c *chat) start() {
	c.t.Helper()
	addr := servers.Address(c.t)
	if c.url != "" {
		u, _ := url.Parse(c.url)
		addr = u.Host
	}
	c.cmd = exec.Command(c.args[0], append(c.args[1:], "-addr", addr)...)
	c.cmd.Stderr = c
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	line := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		lines.Scan()
		line <- lines.Text()
	}()
	select {
	case c.url = <-line:
	case <-time.After(patience):
	}
	if c.url == "" {
		c.t.Fatalf("it did not start:\n%s", c.text())
	}
}

// kill ends it as a crash does.
func (c *chat) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// stop asks it to end, and waits.
func (c *chat) stop() {
	c.t.Helper()
	c.cmd.Process.Signal(syscall.SIGTERM)
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("it ended with %v:\n%s", err, c.text())
	}
}

// Write keeps what it says on stderr.
func (c *chat) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(p)
}

func (c *chat) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.String()
}

// eventually tries until it succeeds, and returns how long that took.
func eventually(t testing.TB, what string, within time.Duration, try func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !try() {
		if time.Since(began) > within {
			t.Fatalf("%s: not within %v", what, within)
		}
		<-tick.C
	}
	return time.Since(began)
}
