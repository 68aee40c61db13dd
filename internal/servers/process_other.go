//go:build !linux

package servers

import (
	"os"
	"os/exec"
	"syscall"
)

// Elsewhere a program dies with its test, but outlives a test binary that is killed.
func separate(*exec.Cmd) {}

func runAs(*exec.Cmd, int, int) {}

func (p *process) signal(s syscall.Signal) error {
	found, err := os.FindProcess(p.pid)
	if err != nil {
		return err
	}
	return found.Signal(s)
}
