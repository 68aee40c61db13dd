package servers

import (
	"os/exec"
	"syscall"
)

// separate gives a program a process group of its own, and has the kernel kill it with its parent.
func separate(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// runAs has a program run as another user.
func runAs(cmd *exec.Cmd, uid, gid int) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// signal sends a signal to the whole group.
func (p *process) signal(s syscall.Signal) error { return syscall.Kill(-p.pid, s) }
