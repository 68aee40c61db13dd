package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// process is this program once more, or another build of it, in another role. It says what there is to say in
// lines of JSON on its stdout; it ends when its stdin does, so none outlives who
// started it.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *json.Decoder
	over  chan struct{} // closed when it has ended
	err   error         // how, from then on; nil: well
}

// spawn starts a process of a program; "": this one. The caller reads its lines to their
// end with next.
func spawn(program string, args ...string) (*process, error) {
	if program == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		program = self
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	return &process{cmd, stdin, json.NewDecoder(bufio.NewReader(stdout)), make(chan struct{}), nil}, nil
}

// next reads the next line. After an error the process has ended: it is killed when
// what it says is no line.
func (p *process) next(line any) error {
	err := p.lines.Decode(line)
	if err != nil {
		if !errors.Is(err, io.EOF) {
			p.cmd.Process.Kill()
		}
		p.err = p.cmd.Wait()
		close(p.over)
	}
	return err
}

// terminate asks the process to end well.
func (p *process) terminate() { p.cmd.Process.Signal(syscall.SIGTERM) }

// kill ends it as it stands, as kill -9 does.
func (p *process) kill() { p.cmd.Process.Kill() }

// say writes a line for who started this process.
func say(line any) { json.NewEncoder(os.Stdout).Encode(line) }

// orphaned is closed when who started this process has ended.
func orphaned() <-chan struct{} {
	signal.Ignore(os.Interrupt) // a terminal's is for who started this process
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	return ended
}
