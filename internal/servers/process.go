package servers

import (
	"io"
	"os/exec"
	"runtime"
	"time"
)

// process is a program that was started, and everything that it started itself.
type process struct {
	pid   int
	ended chan struct{} // closed when all of it is gone
	err   error         // how it ended; after ended
}

// launch starts a program and gives output what it prints. It is the first of a process group of its own, and the kernel kills it
// when this process is gone, however that ends (Linux).
//
// What counts as gone is that nobody holds its output open any more: PostgreSQL's workers leave its process group, outlive it
// by a moment, and keep its successor from starting.
func launch(cmd *exec.Cmd, output io.Writer) (*process, error) {
	output = struct{ io.Writer }{output} // never a file: Wait waits for the end of a pipe
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = patience
	separate(cmd)
	p := &process{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel's promise is bound to the thread that started the program: this one stays until it ended.
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	return p, <-started
}

// gone waits until all of the process has ended, and reports whether it did so in time.
func (p *process) gone(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		return false
	}
}
