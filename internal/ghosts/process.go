package ghosts

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

var (
	errDead    = errors.New("the node is dead")
	errRefused = errors.New("the node could not")
)

// process is a node.
type process struct {
	cmd  *exec.Cmd
	in   io.Writer
	dead chan struct{} // closed when it is

	mu      sync.Mutex
	number  int
	waiting map[int]chan bool
}

func start(o Options) (*process, error) {
	p := &process{cmd: exec.Command(os.Args[0], o.Args...), dead: make(chan struct{}), waiting: make(map[int]chan bool)}
	p.cmd.Env = append(os.Environ(), o.Env)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe() // which ends with the test
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in = in
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var number int
			var done bool
			if n, _ := fmt.Sscan(lines.Text(), &number, &done); n == 2 {
				p.answered(number, done)
			}
		}
		close(p.dead)
		_ = p.cmd.Wait() // it was killed
	}()
	return p, nil
}

func (p *process) answered(number int, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ch := p.waiting[number]; ch != nil {
		delete(p.waiting, number)
		ch <- done
	}
}

// do has the node do something, and returns when it is done.
func (p *process) do(what, user, session, status string) error {
	done := make(chan bool, 1)
	p.mu.Lock()
	p.number++
	p.waiting[p.number] = done
	_, err := fmt.Fprintln(p.in, p.number, what, user, session, status)
	p.mu.Unlock()
	if err != nil {
		return errDead
	}
	select {
	case ok := <-done:
		if !ok {
			return errRefused
		}
		return nil
	case <-p.dead:
		return errDead
	}
}

// kill ends it with SIGKILL.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.dead
}
