package socket

import (
	"crypto/tls"
	"net"
	"time"
)

// KeepAlive has the kernel probe a peer that has been silent for so long, and
// again every so long; 0 switches it off, which net/http has on at 15 s.
func KeepAlive(nc net.Conn, idle time.Duration) {
	if c, ok := nc.(*tls.Conn); ok {
		nc = c.NetConn()
	}
	tcp := tcpOf(nc)
	if tcp == nil {
		return
	}
	tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: idle > 0, Idle: idle, Interval: idle})
}

// tcpOf is the TCP connection that nc is, or nil.
func tcpOf(nc net.Conn) *net.TCPConn {
	switch c := nc.(type) {
	case *net.TCPConn:
		return c
	case *Conn:
		return c.TCPConn
	}
	return nil
}
