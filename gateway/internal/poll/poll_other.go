//go:build !linux

package poll

import "net"

// Poller is never made here.
type Poller struct{}

// New returns ErrUnsupported.
func New(int) (*Poller, error) { return nil, ErrUnsupported }

func (*Poller) Close() {}

func (*Poller) Adopt(*net.TCPConn, Handler) (*Desc, error) { return nil, ErrUnsupported }

// Desc is never made here.
type Desc struct{}

func (*Desc) Read([]byte) (int, error) { return 0, net.ErrClosed }

func (*Desc) Write([]byte) (int, error) { return 0, net.ErrClosed }

func (*Desc) Gather([][]byte) (int, error) { return 0, net.ErrClosed }

func (*Desc) WriteOrWait([]byte) (int, <-chan struct{}, error) { return 0, nil, net.ErrClosed }

func (*Desc) CloseWrite() error { return net.ErrClosed }

func (*Desc) Control(func(fd uintptr)) {}

func (*Desc) Close() error { return net.ErrClosed }
