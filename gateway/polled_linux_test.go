package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/poll"
)

// withAndWithoutPoller has a test run over real sockets, read either way.
func withAndWithoutPoller(t *testing.T, test func(t *testing.T, poller func(o *Options))) {
	for _, poller := range []bool{false, true} {
		t.Run(fmt.Sprintf("poller=%v", poller), func(t *testing.T) {
			test(t, func(o *Options) { o.Poller = poller })
		})
	}
}

// onlySocket is of the gateway's one connection, which is polled if it is to be.
func onlySocket(t *testing.T, g *Gateway) io.Closer {
	t.Helper()
	for _, c := range g.byConn.All() {
		c.mu.Lock()
		below := c.sock.Below()
		c.mu.Unlock()
		if _, polled := below.(*poll.Desc); polled != g.opts.Poller {
			t.Fatalf("Poller is %v, and a connection is a %T", g.opts.Poller, below)
		}
		return below
	}
	t.Fatal("there is no connection")
	return nil
}

// Every byte on its own, with whatever is between them: a client that is slow in
// the middle of an Identify in fragments, with pings between and inside them.
func TestSlowSender(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		g, url := testGateway(t, poller)
		raw := dialRaw(t, url)
		raw.until(`"op":10`)
		below := onlySocket(t, g)
		var all []byte
		identify := `{"op":2,"d":{"token":"ann"}}`
		all = append(all, frame(wsText, []byte(identify[:10]))...)
		all = append(all, frame(0x80|wsPing, []byte("between"))...)
		all = append(all, frame(wsContinuation, nil)...)
		all = append(all, frame(wsContinuation, []byte(identify[10:20]))...)
		all = append(all, frame(0x80|wsPing, nil)...)
		all = append(all, frame(0x80|wsContinuation, []byte(identify[20:]))...)
		for i := range all {
			raw.write(all[i : i+1])
			eventually(t, "the byte is read", func() bool { return meminfo(t, below)[rmemAlloc] == 0 })
		}
		raw.until("READY")
	})
}

// A ping between two fragments is answered before the message ends.
func TestPingBetweenFragments(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		_, url := testGateway(t, poller)
		raw := loginRaw(t, url, "ann")
		beat := `{"op":1,"d":1}`
		raw.write(frame(wsText, nil))
		for i := range beat {
			said := fmt.Sprint("ping ", i)
			raw.write(frame(wsContinuation, []byte(beat[i:i+1])))
			raw.write(frame(0x80|wsPing, []byte(said)))
			if first, payload, err := raw.read(); err != nil || first != framePong || string(payload) != said {
				t.Fatalf("ping %d: %x %q, %v", i, first, payload, err)
			}
		}
		raw.write(frame(0x80|wsContinuation, nil))
		raw.until(`"op":11`)
	})
}

// A message as large as is allowed, many times what is read at once, is a message
// like any other; one byte more is refused. Others are served meanwhile.
func TestHugeMessages(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		const most = 1 << 20
		_, url := testGateway(t, func(o *Options) {
			poller(o)
			o.Limits.MessageSize = most
		})
		other := loginRaw(t, url, "bob")
		raw := loginRaw(t, url, "ann")
		pad := func(size int) string {
			const head, tail = `{"op":1,"d":1,"x":"`, `"}`
			return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
		}
		for range 3 {
			b := text(pad(most))
			raw.write(b[:len(b)/2])
			other.write(text(`{"op":1,"d":1}`))
			other.until(`"op":11`)
			raw.write(b[len(b)/2:])
			raw.until(`"op":11`)
		}
		go raw.write(text(pad(most + 1)))
		if code := raw.closeCode(); code != CloseDecode {
			t.Errorf("closed with %d", code)
		}
	})
}

// ends is what OnDisconnect was told.
type ends chan *CloseError

func (e ends) hook(o *Options) {
	o.OnDisconnect = func(_ ConnInfo, _ *Session, reason *CloseError) { e <- reason }
}

// next waits for one.
func (e ends) next(t *testing.T) *CloseError {
	t.Helper()
	select {
	case why := <-e:
		return why
	case <-time.After(10 * time.Second):
		t.Fatal("OnDisconnect is not called within 10 s")
		return nil
	}
}

// What a client says before it closes its half is heard, however close behind it
// the end comes.
func TestLastWordsOfHalfClosed(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		ended := make(ends, 1)
		g, url := testGateway(t, func(o *Options) {
			poller(o)
			ended.hook(o)
		})
		heard := make(chan string, 1)
		Handle(g, "LAST", func(_ context.Context, _ *Session, in string) (any, error) {
			heard <- in
			return nil, nil
		})
		for round := range 20 {
			raw := loginRaw(t, url, "ann")
			raw.write(frame(0x80|wsClose, closePayload(1000, "bye")))
			raw.nc.(*net.TCPConn).CloseWrite()
			if code := raw.closeCode(); code != 1000 {
				t.Fatalf("round %d: the close frame comes back as %d", round, code)
			}
			if rest, err := io.ReadAll(raw.r); err != nil || len(rest) > 0 {
				t.Fatalf("round %d: then comes %q, %v", round, rest, err)
			}
			if why := ended.next(t); why.Code != 1000 || why.Reason != "bye" || !why.ByClient {
				t.Fatalf("round %d: OnDisconnect is told %v", round, why)
			}

			raw = loginRaw(t, url+"?ext=1", "ann")
			raw.write(text(`{"op":100,"d":{"t":"LAST","d":"words"}}`))
			raw.nc.(*net.TCPConn).CloseWrite()
			select {
			case <-heard:
			case <-time.After(10 * time.Second):
				t.Fatalf("round %d: the last command is not heard", round)
			}
			if why := ended.next(t); why.Code != closeAbnormal || !why.ByClient {
				t.Fatalf("round %d: OnDisconnect is told %v", round, why)
			}
		}
		eventually(t, "nothing is left", func() bool {
			return g.Stats().Connections == 0 && g.readers.count() == 0 && g.writers.count() == 0
		})
	})
}

// A client that resets its connection is gone, whatever it had begun to say.
func TestReset(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		ended := make(ends, 1)
		_, url := testGateway(t, func(o *Options) {
			poller(o)
			ended.hook(o)
		})
		for name, half := range halves {
			raw := loginRaw(t, url, "ann")
			raw.write(half)
			raw.nc.(*net.TCPConn).SetLinger(0)
			raw.nc.Close()
			if why := ended.next(t); why.Code != closeAbnormal && why.Code != CloseDecode {
				t.Errorf("%s: OnDisconnect is told %v", name, why)
			}
		}
	})
}

// An application that takes its time over one connection, when it begins and
// when it has ended, holds up no other, though one loop reads them all.
func TestHooksBlockNoLoop(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		blocked, release := make(chan struct{}, 2), make(chan struct{})
		g, url := testGateway(t, func(o *Options) {
			poller(o)
			wait := func(info ConnInfo) {
				if info.Compress == "lz4" {
					blocked <- struct{}{}
					<-release
				}
			}
			o.OnConnect = wait
			o.OnDisconnect = func(info ConnInfo, _ *Session, _ *CloseError) { wait(info) }
		})
		held := dialRaw(t, url+"?encoding=msgpack&compress=lz4")
		<-blocked
		works := func(token string) {
			raw := loginRaw(t, url, token)
			raw.write(text(`{"op":1,"d":1}`))
			raw.until(`"op":11`)
			raw.nc.Close()
		}
		works("ann")
		release <- struct{}{}
		eventually(t, "a loop reads, if one is to", func() bool { return g.readers.count() == 0 })
		held.nc.Close()
		<-blocked
		works("bob")
		if n := g.Stats().Connections; n == 0 {
			t.Error("a connection whose OnDisconnect has not returned is not counted")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := g.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown does not wait for OnDisconnect: %v", err)
		}
		close(release)
		eventually(t, "nobody reads any more", func() bool { return g.conns.count() == 0 && g.readers.count() == 0 })
	})
}

// Descriptors are used again as soon as they are closed, by client after client,
// in every way that a connection ends, while events are published to all: each
// client reads its own, and nobody's commands are another's.
func TestDescriptorsAreReused(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		const workers = 6
		rounds := 60
		if testing.Short() {
			rounds = 10
		}
		g, url := testGateway(t, func(o *Options) {
			poller(o)
			o.Limits.AcceptRate, o.Limits.IdentifyRate, o.Limits.ConnectionsPerAddress = -1, -1, -1
			o.Ready = func(ctx context.Context, s *Session) (any, error) { return nil, s.Subscribe(ctx, s.User().ID) }
		})
		Handle(g, "WHO", func(_ context.Context, s *Session, in string) (string, error) {
			return "(" + in + " " + s.User().ID + ")", nil
		})
		// Each worker's client of the moment is written to all the time, also while
		// it is being closed.
		var now [workers]atomic.Pointer[string]
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if user := now[i%workers].Load(); user != nil {
					g.Publish(context.Background(), *user, Event{Type: "E", Data: strings.Repeat("("+*user+" "+*user+")", 20)})
				}
			}
		}()
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for round := 0; round < rounds && !t.Failed(); round++ {
					user := fmt.Sprintf("w%d-%d", w, round)
					now[w].Store(&user)
					reuse(t, dialRaw(t, url+"?ext=1"), user, round)
				}
			})
		}
		all.Wait()
		close(stop)
		<-stopped
		eventually(t, "all have gone", func() bool { return g.Stats().Connections == 0 })
	})
}

// reuse is a client that checks that all it reads is its own.
func reuse(t *testing.T, raw *rawConn, user string, round int) {
	defer raw.nc.Close()
	raw.identify(user)
	own := []byte("(" + user + " " + user + ")")
	command := text(fmt.Sprintf(`{"op":100,"d":{"t":"WHO","n":"1","d":%q}}`, user))
	raw.until("READY")
	raw.write(command)
	for read, answered := false, false; !read || !answered; {
		first, payload, err := raw.read()
		if err != nil {
			t.Errorf("%s: %v", user, err)
			return
		}
		if first != 0x80|wsText {
			t.Errorf("%s: a frame begins with %x: %q", user, first, payload)
			return
		}
		answered = answered || bytes.Contains(payload, []byte(`"op":101`))
		read = read || bytes.Contains(payload, []byte(`"t":"E"`))
		for rest := payload; ; {
			at := bytes.IndexByte(rest, '(')
			if at < 0 {
				break
			}
			if rest = rest[at:]; !bytes.HasPrefix(rest, own) {
				t.Errorf("%s reads %.40q", user, rest)
				return
			}
			rest = rest[len(own):]
		}
	}
	switch round % 4 {
	case 0:
		raw.write(command)
		raw.nc.(*net.TCPConn).SetLinger(0)
	case 1:
		raw.write(frame(0x80|wsClose, closePayload(1000, "")))
		raw.closeCode()
	case 2:
		raw.write(text("{")) // is closed by the server
		raw.closeCode()
	case 3:
		raw.write(command[:len(command)/2])
	}
}
