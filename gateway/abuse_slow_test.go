package gateway

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// slowAttacks are of clients that begin and do not go on.
func slowAttacks() []attack {
	return []attack{
		{name: "half a handshake", clients: 150, headers: siegeHeaders, run: (*siege).halfHandshakes},
		{name: "half a frame", clients: 150, change: func(o *Options) {
			o.Limits.IdentifyTimeout, o.Limits.HeartbeatInterval = 3*time.Second, 3*time.Second // of the bystander, too
		}, run: (*siege).halfFrames},
	}
}

// halfHandshakes are requests, or handshakes of TLS, that are never finished.
// Half of the clients send a byte now and then. It is for the http.Server to end
// them, by its ReadHeaderTimeout, and for us to see that this is enough.
func (s *siege) halfHandshakes(n int) {
	accepted := s.g.Stats().Accepted
	s.each(n, func(i int) {
		connect, half := s.connect, "GET /gateway?v=10 HTTP/1.1\r\nHost: gatehouse\r\nConnection: Upgrade\r\nX: "
		if i%4 < 2 {
			connect, half = s.tcp, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
		}
		nc := connect()
		io.WriteString(nc, half)
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			io.Copy(io.Discard, nc)
		}()
		for range 100 { // ten times the timeout
			if i%2 == 0 {
				nc.Write([]byte("a"))
			}
			select {
			case <-gone:
				return
			case <-time.After(siegeHeaders / 10):
			}
		}
		s.t.Errorf("a client that sends %q and no more is still connected", half)
	})
	if got := s.g.Stats(); got.Accepted != accepted || got.Connections != 1 {
		s.t.Errorf("%d were upgraded, %d connections", got.Accepted-accepted, got.Connections)
	}
}

// halves are frames that something is missing of.
var halves = map[string][]byte{
	"nothing":              nil,
	"one byte":             {0x80 | wsText},
	"no length":            {0x80 | wsText, 0x80 | 126},
	"half a length":        {0x80 | wsText, 0x80 | 126, 0x01},
	"half a long length":   {0x80 | wsText, 0x80 | 127, 0, 0, 0, 0},
	"no mask":              {0x80 | wsText, 0x80 | 100},
	"half a mask":          {0x80 | wsText, 0x80 | 100, 1, 2},
	"no payload":           frameDeclaring(0x80|wsText, nil, 100),
	"no payload of 4 KB":   frameDeclaring(0x80|wsText, nil, 4096),
	"no payload of 4 GB":   frameDeclaring(0x80|wsText, nil, 1<<32),
	"no payload of 2^62":   frameDeclaring(0x80|wsText, nil, 1<<62),
	"half a payload":       frameDeclaring(0x80|wsText, []byte(`{"op":2,"d":{"token":"mal`), 100),
	"half of 4 GB":         frameDeclaring(0x80|wsText, bytes.Repeat([]byte("x"), 4000), 1<<32),
	"a fragment":           frame(wsText, []byte(`{"op":2,`)),
	"two fragments":        append(frame(wsText, []byte(`{"op":2,`)), frame(wsContinuation, []byte(`"d":`))...),
	"half a ping":          frameDeclaring(0x80|wsPing, []byte("ab"), 125),
	"half a close":         frameDeclaring(0x80|wsClose, []byte{0x03}, 2),
	"a ping in a fragment": append(frame(wsText, []byte(strings.Repeat(" ", 4000))), frameDeclaring(0x80|wsPing, nil, 125)...),
}

// halfFrames are clients that stop in the middle of a frame, for good: half of
// them before Identify, the others when they have a session.
func (s *siege) halfFrames(n int) {
	names := slices.Collect(maps.Keys(halves))
	base := s.heap()
	clients := make([]*rawConn, n)
	s.each(n, func(i int) {
		if i%2 == 0 {
			clients[i] = s.dial()
		} else {
			clients[i], _ = s.login(s.user("half", i))
		}
		clients[i].write(halves[names[i/2%len(names)]])
	})
	s.holding(n, base)
	s.each(n, func(i int) {
		want := CloseNotAuthenticated
		if i%2 == 1 {
			want = CloseUnknown // no heartbeat comes
		}
		if got := clients[i].closeCode(); got != want {
			s.t.Errorf("%s: closed with %d, want %d", names[i/2%len(names)], got, want)
		}
	})
}
