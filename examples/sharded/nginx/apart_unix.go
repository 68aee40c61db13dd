//go:build unix

package nginx

import (
	"os/exec"
	"syscall"
)

// apart has a program not be told of a Ctrl-C that is meant for this one: nginx ends after the nodes, or nobody could come back.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
