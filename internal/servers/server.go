package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience is how long what must happen may take on a machine that is busy. Nothing waits for it to pass.
const patience = 4 * time.Minute

// Server is one server process and its data, which outlives the process but not the test. It runs when a test gets it, and
// is killed when that test is over.
//
// Its methods are for the goroutine of its test, one at a time: they end the test when something goes wrong.
type Server struct {
	t       testing.TB
	name    string // of what runs, for people
	addr    string
	dir     string                      // its data and its log
	command func() *exec.Cmd            // a fresh one for every start
	ready   func(context.Context) error // whether it serves; tried until it does
	quit    syscall.Signal              // how it is asked to end
	process *process                    // nil when it is not running
}

// newServer makes a server that Start starts, with a folder of its own below the temporary folder.
func newServer(t testing.TB, name, addr string) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "gatehouse-"+name+"-") // t.TempDir is closed to other users
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	s := &Server{t: t, name: name, addr: addr, dir: dir, quit: syscall.SIGTERM}
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("the end of the log of %s at %s:\n%s", name, addr, s.log())
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("servers: %v", err)
		}
	})
	return s
}

// Addr is where it serves, as host:port, also while it is down: it comes back at the same one.
func (s *Server) Addr() string { return s.addr }

// Start starts it again, on the data it had, and returns when it serves. It does nothing when it is running.
func (s *Server) Start() {
	s.t.Helper()
	if s.process == nil {
		s.launch()
		s.await()
	}
}

// Kill ends it with SIGKILL, as a crash of the process does: what it gave to the kernel is kept. It returns when the process
// and all that it started are gone, and does nothing when it is not running.
func (s *Server) Kill() {
	s.t.Helper()
	s.end(syscall.SIGKILL)
}

// Stop asks it to end, as a planned restart does, and returns when it has.
func (s *Server) Stop() {
	s.t.Helper()
	s.end(s.quit)
}

// end sends a signal and waits for the process to be gone; one that does not go is killed, and an error.
func (s *Server) end(signal syscall.Signal) {
	s.t.Helper()
	p := s.process
	if p == nil {
		return
	}
	s.process = nil
	if err := p.signal(signal); err != nil && !errors.Is(err, syscall.ESRCH) && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("servers: end %s: %v", s.name, err)
	}
	if !p.gone(patience / 4) {
		s.t.Errorf("servers: %s did not end %v after %v", s.name, patience/4, signal)
		p.signal(syscall.SIGKILL)
		p.gone(patience)
	}
}

// launch starts the process and does not wait until it serves.
func (s *Server) launch() {
	s.t.Helper()
	log, err := os.OpenFile(s.logName(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatalf("servers: %v", err)
	}
	cmd := s.command()
	cmd.Dir, cmd.Env = s.dir, environment(s.dir)
	p, err := launch(cmd, log)
	if err != nil {
		log.Close()
		s.t.Fatalf("servers: start %s: %v", s.name, err)
	}
	s.process = p
	go func() {
		<-p.ended
		log.Close()
	}()
}

// await returns when the launched process serves.
func (s *Server) await() {
	s.t.Helper()
	if err := poll(s.ready, s.process.ended); err != nil {
		s.t.Fatalf("servers: %s at %s: %v", s.name, s.addr, err)
	}
}

var errEnded = errors.New("the process ended")

// poll tries again until try succeeds, patience is over or ended is closed; it returns the last error then.
func poll(try func(context.Context) error, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := try(once)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ended:
			return errors.Join(errEnded, err)
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", patience, err)
		}
	}
}

// run runs a tool to its end and returns what it printed.
func (s *Server) run(cmd *exec.Cmd) string {
	s.t.Helper()
	cmd.Dir, cmd.Env = s.dir, environment(s.dir)
	var output bytes.Buffer
	p, err := launch(cmd, &output)
	if err == nil {
		<-p.ended
		err = p.err
	}
	if err != nil {
		s.t.Fatalf("servers: %s: %v\n%s", filepath.Base(cmd.Path), err, output.Bytes())
	}
	return output.String()
}

// environment is that of every program: nothing of the user's settings, and nothing left behind in the user's folders.
func environment(dir string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME=" + dir, "TMPDIR=" + dir}
}

func (s *Server) logName() string { return filepath.Join(s.dir, "log") }

// log is the end of what it printed.
func (s *Server) log() string {
	f, err := os.Open(s.logName())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if _, err := f.Seek(-4096, io.SeekEnd); err != nil {
		_, _ = f.Seek(0, io.SeekStart) // it is shorter
	}
	tail, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(tail)
}
