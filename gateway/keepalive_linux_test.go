package gateway

import (
	"syscall"
	"testing"
	"time"
)

// net/http switches TCP's probes on for every connection; the gateway has
// heartbeats, and switches them off, or to what the options say.
func TestKeepAlive(t *testing.T) {
	for _, tr := range transports {
		for idle, want := range map[time.Duration]int{0: 0, 90 * time.Second: 90} {
			t.Run(tr.name+" "+idle.String(), func(t *testing.T) {
				s := besiege(t, tr, func(o *Options) { o.KeepAlive = idle })
				s.login("ann")
				for _, c := range s.g.byConn.All() {
					withDescriptor(t, c.sock.Below(), func(fd uintptr) {
						on, _ := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
						after, _ := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
						if (on != 0) != (want != 0) || on != 0 && after != want {
							t.Errorf("probes: %d, after %d s; want %d s", on, after, want)
						}
					})
				}
			})
		}
	}
}
