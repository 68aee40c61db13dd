package gateway

import (
	"bytes"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// floodAttacks are of clients that send as fast as they can.
func floodAttacks() []attack {
	return []attack{
		{name: "floods", clients: 28, run: (*siege).flood},
		{name: "answers that are not read", clients: 6, change: func(o *Options) {
			o.Limits.Payloads = -1 // what is left is the control lane's bound (S9)
		}, run: (*siege).unread},
	}
}

// floods are more of something than anybody may send, hard limit and all.
var floods = map[string][]byte{
	"pings":                  bytes.Repeat(frame(0x80|wsPing, []byte("ping")), flooding),
	"large pings":            bytes.Repeat(frame(0x80|wsPing, bytes.Repeat([]byte("x"), 125)), flooding),
	"pongs nobody asked for": bytes.Repeat(frame(0x80|wsPong, nil), flooding),
	"pings in a message":     append(frame(wsText, nil), bytes.Repeat(frame(0x80|wsPing, nil), flooding)...),
	"heartbeats":             bytes.Repeat(text(`{"op":1,"d":null}`), flooding),
	"presences":              bytes.Repeat(text(`{"op":3,"d":{"since":0,"activities":[],"status":"online","afk":false}}`), flooding),
	"all of them":            bytes.Repeat(append(text(`{"op":1,"d":null}`), frame(0x80|wsPing, nil)...), flooding/2),
}

// flooding is above twice Limits.Payloads.
const flooding = 400

// flood reads nothing before it has sent everything. Half of it comes from
// clients without a session, who may not send presences at all.
func (s *siege) flood(n int) {
	names := slices.Sorted(maps.Keys(floods))
	s.each(n, func(i int) {
		name, want := names[i/2%len(names)], CloseRateLimited
		c := s.dial()
		if i%2 == 0 {
			c, _ = s.login(s.user("flood", i))
		} else if name == "presences" {
			want = CloseNotAuthenticated
		}
		c.write(floods[name])
		if got := c.closeCode(); got != want {
			s.t.Errorf("%s: closed with %d, want %d", name, got, want)
		}
	})
}

// narrow has the attackers' kernels keep little for them: so is a server sooner
// at the end of what it gets rid of.
func (s *siege) narrow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, nc := range s.attackers {
		nc.(*net.TCPConn).SetReadBuffer(4 << 10)
	}
}

// unread are clients that ask for answers and never read one.
func (s *siege) unread(n int) {
	base := s.heap()
	beats := bytes.Repeat(text(`{"op":1,"d":null}`), 100)
	both := bytes.Repeat(append(text(`{"op":1,"d":null}`), frame(0x80|wsPing, nil)...), 100)
	var clients sync.WaitGroup
	for i := range n {
		block := both
		if i%2 == 0 {
			block = beats
		}
		c := s.dial()
		c.nc.SetDeadline(time.Time{})
		s.narrow()
		clients.Go(func() {
			for {
				if _, err := c.nc.Write(block); err != nil {
					return // hung up
				}
			}
		})
	}
	paused := func() (paused int) {
		for _, c := range s.g.byConn.All() {
			c.mu.Lock()
			if c.room != nil {
				paused++
			}
			if l := c.control; l != nil && (l.n > controlFrames || len(l.frames) > controlBytes) {
				s.t.Errorf("%d frames of %d bytes wait for a client", l.n, len(l.frames))
			}
			c.mu.Unlock()
		}
		return paused
	}
	if !within(patience, func() bool { return paused() == n }) {
		s.t.Errorf("%d of %d readers have paused", paused(), n)
	}
	s.holding(n, base)
	s.hangUp()
	clients.Wait()
}
