package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"time"
)

// Crowd is clients of one server.
type Crowd struct {
	Clients []*Client

	// What was seen since the counts were last set to zero, by whoever likes.
	Events    int             // deliveries
	Bytes     int             // received
	Acks      int             // heartbeats that were answered
	Gaps      int             // sequences that did not follow
	Refused   int             // resumes
	Closed    int             // connections that the server ended
	Latencies []time.Duration // of a sample of the events, from the time in them

	speaker *Speaker
	to      syscall.SockaddrInet4
	epoll   int
	events  []syscall.EpollEvent
	buf     []byte
	rng     *rand.Rand
	busy    int // connecting, or signing in

	every time.Duration // between heartbeats
	wheel [wheelTicks][]beatAt
	tick  int64
}

// Client is one of them.
type Client struct {
	ID    int
	Ready bool // it is sent events

	crowd   *Crowd
	fd      int // −1 while it is not connected
	opened  bool
	part    []byte // of a message that is not all there
	seq     uint64
	session string
	beating bool
	life    uint32 // connections so far
}

type beatAt struct {
	c    *Client
	life uint32
}

const (
	wheelTick  = 100 * time.Millisecond
	wheelTicks = 1024

	settling = 300 * time.Millisecond

	atOnce  = 256 // handshakes in flight
	readBuf = 256 << 10
	sampled = 16 // one client in so many measures latencies
)

// IP_BIND_ADDRESS_NO_PORT of linux/in.h: the port is chosen by connect, so that
// many connections share one.
const bindAddressNoPort = 24

// New makes n clients of the server at addr that are not connected.
func New(addr string, n int, s *Speaker) (*Crowd, error) {
	tcp, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, err
	}
	c := &Crowd{
		speaker: s, to: syscall.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(tcp.IP.To4())},
		events: make([]syscall.EpollEvent, 1024), buf: make([]byte, readBuf), rng: rand.New(rand.NewPCG(1, uint64(tcp.Port))),
	}
	if c.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	c.tick = time.Now().UnixNano() / int64(wheelTick)
	for i := range n {
		c.Clients = append(c.Clients, &Client{ID: i, crowd: c, fd: -1})
	}
	return c, nil
}

// Close ends all connections.
func (c *Crowd) Close() {
	for _, cl := range c.Clients {
		cl.Drop()
	}
	syscall.Close(c.epoll)
}

// Connect connects all who are not, and returns when they are ready.
func (c *Crowd) Connect(within time.Duration) error {
	deadline := time.Now().Add(within)
	for _, cl := range c.Clients {
		if cl.fd >= 0 {
			continue
		}
		for c.busy >= atOnce && time.Now().Before(deadline) {
			c.Step(10 * time.Millisecond)
		}
		if err := cl.dial(); err != nil {
			return fmt.Errorf("client %d: %w", cl.ID, err)
		}
	}
	for c.busy > 0 {
		c.Step(10 * time.Millisecond)
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d clients are not ready after %v", c.busy, len(c.Clients), within)
		}
	}
	// Plain servers answer the handshake before they know the client.
	for until := time.Now().Add(settling); c.speaker.Opened != nil && time.Now().Before(until); {
		c.Step(10 * time.Millisecond)
	}
	return nil
}

func (cl *Client) dial() error {
	c := cl.crowd
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressNoPort, 1)
	from := syscall.SockaddrInet4{Addr: [4]byte{127, 0, 1 + byte(cl.ID>>8&0x3f), 1 + byte(cl.ID&0x7f)}}
	if err := syscall.Bind(fd, &from); err == nil {
		for {
			if err = syscall.Connect(fd, &c.to); err != syscall.EINTR {
				break
			}
		}
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		syscall.Close(fd)
		return err
	}
	// A lost connection leaves no TIME_WAIT behind.
	syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	cl.fd, cl.opened, cl.Ready, cl.part = fd, false, false, nil
	cl.life++
	c.busy++
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(cl.ID)}
	if err := syscall.EpollCtl(c.epoll, syscall.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return err
	}
	cl.write(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", c.speaker.Path))
	return nil
}

// Drop loses the connection, without a word.
func (cl *Client) Drop() {
	if cl.fd < 0 {
		return
	}
	if !cl.Ready {
		cl.crowd.busy--
	}
	syscall.Close(cl.fd)
	cl.fd, cl.Ready, cl.beating, cl.part = -1, false, false, nil
}

// write writes little, which a socket takes at once.
func (cl *Client) write(b []byte) {
	if len(b) > 0 && cl.fd >= 0 {
		syscall.Write(cl.fd, b)
	}
}

// Step handles what has come, waiting for it for so long at most, and sends
// heartbeats that are due.
func (c *Crowd) Step(wait time.Duration) {
	n, _ := syscall.EpollWait(c.epoll, c.events, int(wait.Milliseconds()))
	for _, ev := range c.events[:max(n, 0)] {
		c.Clients[ev.Fd].read()
	}
	c.beat()
}

func (cl *Client) read() {
	c := cl.crowd
	if cl.fd < 0 {
		return
	}
	buf := c.buf
	from := copy(buf, cl.part)
	if from == len(buf) { // a very large message
		buf = append(make([]byte, 0, 2*len(cl.part)), cl.part...)[:2*len(cl.part)]
	}
	n, err := syscall.Read(cl.fd, buf[from:])
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return
	}
	if n <= 0 {
		c.Closed++
		cl.Drop()
		return
	}
	c.Bytes += n
	rest := cl.handle(buf[:from+n])
	switch {
	case cl.fd < 0:
	case len(rest) > 0:
		cl.part = append(cl.part[:0:0], rest...)
	default:
		cl.part = nil
	}
}

// handle handles whole messages and returns the rest.
func (cl *Client) handle(b []byte) []byte {
	c := cl.crowd
	if !cl.opened {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			return b
		}
		if !bytes.HasPrefix(b, []byte("HTTP/1.1 101")) {
			c.Closed++
			cl.Drop()
			return nil
		}
		b = b[end+4:]
		cl.opened = true
		if c.speaker.Opened != nil {
			cl.write(c.speaker.Opened(cl))
		}
		if cl.Ready {
			c.busy--
		}
	}
	for {
		op, payload, rest, ok := nextFrame(b)
		if !ok {
			return b
		}
		b = rest
		switch op {
		case opPing:
			cl.write(frame(opPong, payload))
		case opClose:
			c.Closed++
			cl.Drop()
			return nil
		case opText, opBinary:
			before := cl.Ready
			answer, events := c.speaker.Message(cl, payload)
			cl.write(answer)
			if cl.Ready && !before {
				c.busy--
			}
			c.Events += events
			if events > 0 && cl.ID%sampled == 0 {
				c.sample(payload)
			}
		}
	}
}

// TimeKey is what stands in an event before the time at which it was due, in
// nanoseconds with 19 digits.
const TimeKey = `"at":`

func (c *Crowd) sample(payload []byte) {
	now := time.Now().UnixNano()
	for {
		_, rest, ok := bytes.Cut(payload, []byte(TimeKey))
		if !ok || len(rest) < 19 {
			return
		}
		at := int64(0)
		for _, d := range rest[:19] {
			at = 10*at + int64(d-'0')
		}
		c.Latencies = append(c.Latencies, time.Duration(now-at))
		payload = rest[19:]
	}
}

// beatIn has a client's heartbeat sent after a while.
func (c *Crowd) beatIn(cl *Client, wait time.Duration) {
	ticks := min(max(int64(wait/wheelTick), 1), wheelTicks-1)
	i := (c.tick + ticks) % wheelTicks
	c.wheel[i] = append(c.wheel[i], beatAt{cl, cl.life})
}

func (c *Crowd) beat() {
	for to := time.Now().UnixNano() / int64(wheelTick); c.tick < to; {
		c.tick++
		due := c.wheel[c.tick%wheelTicks]
		c.wheel[c.tick%wheelTicks] = nil
		for _, b := range due {
			if b.c.fd >= 0 && b.c.life == b.life && c.speaker.Heartbeat != nil {
				b.c.write(c.speaker.Heartbeat(b.c))
				c.beatIn(b.c, c.every)
			}
		}
	}
}

// BeatAll has every client send a heartbeat, or for want of one a message of its
// size, spread over a while.
func (c *Crowd) BeatAll(over time.Duration) {
	step := over / time.Duration(len(c.Clients))
	start := time.Now()
	for i, cl := range c.Clients {
		for time.Since(start) < time.Duration(i)*step {
			c.Step(time.Millisecond)
		}
		if c.speaker.Heartbeat != nil {
			cl.write(c.speaker.Heartbeat(cl))
		} else {
			cl.write(frame(opText, []byte(`{"op":1,"d":1}`)))
		}
	}
}

// Acknowledge has every client that has heartbeats send one, which acknowledges
// what it was sent, and returns when all are answered.
func (c *Crowd) Acknowledge(within time.Duration) error {
	if c.speaker.Heartbeat == nil {
		return nil
	}
	from, deadline := c.Acks, time.Now().Add(within)
	for _, cl := range c.Clients {
		cl.write(c.speaker.Heartbeat(cl))
		c.Step(0)
	}
	for c.Acks-from < len(c.Clients) {
		c.Step(10 * time.Millisecond)
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d heartbeats were answered within %v", c.Acks-from, len(c.Clients), within)
		}
	}
	return nil
}
