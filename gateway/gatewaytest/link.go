package gatewaytest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Link is one connection of a [Network], with both of its ends: the place
// where a test makes it fail. Its methods may be called by many goroutines at
// once, also when the link is gone.
type Link struct {
	network        *Network
	id             int
	client, server *Conn
	gone           atomic.Bool // killed, or closed at both ends

	mu          sync.Mutex
	up, down    half // to the server, to the client
	partitioned bool
	reset       bool
	open        int // ends that are not closed
	rng         *rand.Rand
}

func newLink(n *Network, id int, addr string) *Link {
	l := &Link{network: n, id: id, open: 2, rng: rand.New(rand.NewPCG(n.options.Seed, uint64(id)))}
	l.up.init(l)
	l.down.init(l)
	l.client = &Conn{link: l, in: &l.down, out: &l.up, local: clientAddr(id), remote: Addr(addr)}
	l.server = &Conn{link: l, in: &l.up, out: &l.down, local: Addr(addr), remote: clientAddr(id)}
	return l
}

// ID counts the network's links from 1, in the order in which they were dialled.
func (l *Link) ID() int { return l.id }

// Kill resets the connection: reads and writes at both ends fail at once, and
// what is under way is lost.
func (l *Link) Kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kill(nil)
}

// KillAfterSent resets the connection when the server has sent n more bytes.
// Those arrive, and then the client finds it reset, with half a frame perhaps.
func (l *Link) KillAfterSent(n int) { l.killAfter(&l.down, n) }

// KillAfterReceived is KillAfterSent for what the client sends.
func (l *Link) KillAfterReceived(n int) { l.killAfter(&l.up, n) }

func (l *Link) killAfter(h *half, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h.killAt = h.sent + uint64(max(n, 0))
	if n <= 0 {
		l.kill(h)
	}
}

// kill resets the link. What has arrived can still be read; what is under way
// is lost, but for that in keep. mu is held.
func (l *Link) kill(keep *half) {
	if l.reset {
		return
	}
	l.reset = true
	for _, h := range []*half{&l.up, &l.down} {
		if h != keep {
			h.lose()
		}
		h.wake()
	}
	l.gone.Store(true)
}

// Partition stops everything on the link, both ways and without an error: what
// is sent waits, as it does for TCP, until Heal.
func (l *Link) Partition() { l.change(func() { l.partitioned = true }) }

// Heal ends Partition, Stall, Squeeze and Lag.
func (l *Link) Heal() {
	l.change(func() {
		l.partitioned = false
		l.down.stalled, l.down.lag = false, 0
		l.down.limit, l.up.limit = l.network.options.Buffer, l.network.options.Buffer
	})
}

// Stall has the client read nothing more, so that buffers fill, until Heal.
func (l *Link) Stall() { l.change(func() { l.down.stalled = true }) }

// Squeeze has the server's side take only n bytes, at least 1, until the client
// has read some: a window so small that most writes are partial. Heal ends it.
func (l *Link) Squeeze(n int) { l.change(func() { l.down.limit = max(n, 1) }) }

// Short has the server's TryWrite stop n bytes from here, once, wherever in a
// frame that is. The link takes no more from the server for the time given.
func (l *Link) Short(n int, hold time.Duration) {
	l.change(func() { l.down.shortAt, l.down.hold = l.down.sent+uint64(max(n, 0)), hold })
}

// Lag has the server's TryWrite return after a time only, though the bytes are
// on their way at once: as when a machine is so busy that a thread is stopped
// in the middle of a system call, and the world goes on meanwhile.
func (l *Link) Lag(d time.Duration) { l.change(func() { l.down.lag = d }) }

func (l *Link) change(set func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set()
	l.up.wake()
	l.down.wake()
}

// Sent and Received count the bytes that the server has sent, and those that
// it was sent, whether they have arrived or not.
func (l *Link) Sent() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.down.sent
}

// Received is Sent for what the client has sent.
func (l *Link) Received() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up.sent
}

// Alive reports whether bytes can still be sent both ways.
func (l *Link) Alive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.reset && l.open == 2
}

// Disturb draws one of the network's links and something to go wrong with it:
// it is killed at once or in the middle of a frame, or partitioned, stalled or
// squeezed for a while. It says what it did, for a log.
func (n *Network) Disturb() string {
	links := n.Links()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(links) == 0 {
		return "nobody is connected"
	}
	l := links[n.rng.IntN(len(links))]
	bytes := n.rng.IntN(400)
	pause := time.Duration(n.rng.Int64N(int64(30 * time.Second)))
	what := "killed"
	switch n.rng.IntN(7) {
	case 0:
		l.Kill()
	case 1:
		what = fmt.Sprintf("killed when it has sent %d bytes", bytes)
		l.KillAfterSent(bytes)
	case 2:
		what = fmt.Sprintf("partitioned for %v", pause)
		l.Partition()
		time.AfterFunc(pause, l.Heal)
	case 3:
		what = fmt.Sprintf("stalled for %v", pause)
		l.Stall()
		time.AfterFunc(pause, l.Heal)
	case 4:
		what = fmt.Sprintf("squeezed to %d bytes for %v", 1+bytes/8, pause)
		l.Squeeze(1 + bytes/8)
		time.AfterFunc(pause, l.Heal)
	case 5:
		what = fmt.Sprintf("short after %d bytes", bytes)
		l.Short(bytes, pause/10)
	case 6:
		what = fmt.Sprintf("lagging by %v for %v", pause/100, pause)
		l.Lag(pause / 100)
		time.AfterFunc(pause, l.Heal)
	}
	return fmt.Sprintf("link %d: %s", l.id, what)
}

// errReset is what both ends of a killed link find.
const errReset = syscall.ECONNRESET
