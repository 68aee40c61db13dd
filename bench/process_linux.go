package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/servers"
)

// process is a server in a process of its own. It ends with this one.
type process struct {
	name string
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

func start(name string, topics int, env ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "serve", name, fmt.Sprint(topics), fmt.Sprint(*workers))
	if name == "socketio" {
		cmd = exec.Command("node", "--expose-gc", "servers/socketio/server.js")
	}
	p, err := launch(name, cmd, env...)
	time.Sleep(200 * time.Millisecond) // some listen by themselves, a little later
	return p, err
}

func launch(name string, cmd *exec.Cmd, env ...string) (*process, error) {
	cmd.Stderr, cmd.Env = os.Stderr, append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{name: name, cmd: cmd, in: in, out: bufio.NewReader(out)}
	p.addr, err = p.line()
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s does not start: %w", name, err)
	}
	return p, nil
}

func (p *process) line() (string, error) {
	s, err := p.out.ReadString('\n')
	return strings.TrimSpace(s), err
}

func (p *process) say(format string, args ...any) { fmt.Fprintf(p.in, format+"\n", args...) }

// ask says something and waits for the answer.
func (p *process) ask(format string, args ...any) (string, error) {
	p.say(format, args...)
	return p.line()
}

func (p *process) stats() (s servers.Stats, err error) {
	text, err := p.ask("stats")
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	return s, err
}

// stop ends the process: by the end of its input, or else by its id.
func (p *process) stop() {
	p.in.Close()
	timer := time.AfterFunc(3*time.Second, func() { p.cmd.Process.Kill() })
	p.cmd.Wait()
	timer.Stop()
}
