package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"time"
)

// process is a service that this command runs as a child, and starts again when it ends.
type process struct {
	name string
	args []string

	mu   sync.Mutex
	cmd  *exec.Cmd // nil: it does not run
	addr string    // where it listens; empty: nowhere
}

const startAgainAfter = 300 * time.Millisecond

// run keeps the process running until ctx ends; then it asks it to end, and waits.
func (p *process) run(ctx context.Context) {
	for {
		err := p.once(ctx)
		if ctx.Err() != nil {
			return
		}
		slog.Warn("a service ended, and is started again", "service", p.name, "why", err)
		select {
		case <-time.After(startAgainAfter):
		case <-ctx.Done():
			return
		}
	}
}

// once runs the process once.
func (p *process) once(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, p.args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // which ends when this process does, however it does
	if err != nil {
		return err
	}
	cmd.Cancel, cmd.WaitDelay = in.Close, closeWithin+2*time.Second
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.is(cmd, "")
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if u, err := url.Parse(lines.Text()); err == nil && u.Host != "" {
			p.is(cmd, u.Host)
		}
	}
	err = cmd.Wait()
	p.is(nil, "")
	return err
}

func (p *process) is(cmd *exec.Cmd, addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.addr = cmd, addr
}

// at returns where it listens; empty: nowhere.
func (p *process) at() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

var errNotRunning = errors.New("it does not run")

// kill ends it as it stands.
func (p *process) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return fmt.Errorf("%s: %w", p.name, errNotRunning)
	}
	return p.cmd.Process.Kill()
}

// childContext ends when the process that started this one does. An interrupt from a terminal is
// for that one.
func childContext(ctx context.Context) context.Context {
	signal.Ignore(os.Interrupt)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx
}
