package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// ClientOptions say who a client is and how it speaks. The zero value speaks
// version 10 in JSON to "gateway".
type ClientOptions struct {
	Addr    string // who listens; empty: "gateway"
	Path    string // empty: "/gateway"
	Version int    // 0: 10

	Encoding  string // "json", the default, or "msgpack"
	Compress  string // "lz4" with msgpack, "zlib-stream" with json, which may not be granted
	Ext       bool   // asks for the extensions
	Positions bool   // asks for the places of events, and tells them when it resumes

	// Dictionary, if set, is asked for with lz4, by its id and its hash. A server
	// that has no such dictionary does without.
	Dictionary *codec.Dictionary

	Token   string
	Intents gateway.Intent // what it asks for; zero: only what is for everybody

	// Seed decides the client's own chances: backoffs, masks.
	Seed uint64

	// ManualHeartbeat leaves heartbeats to Heartbeat. Those that the server
	// asks for are sent all the same.
	ManualHeartbeat bool

	// Oracle, if set, is shown what the client sees.
	Oracle *Oracle

	// Receive, if set, is handed every message, and then the error that ended
	// the connection, in order, in place of Next. It may block; the client reads
	// nothing meanwhile. It may send, but not end or replace the connection.
	Receive func(m Message, err error)
}

// Client is a client of the protocol on a [Network]. It remembers its session
// over as many connections as it has, one after the other. Its methods may be
// called by many goroutines at once.
type Client struct {
	network *Network

	mu      sync.Mutex
	changed sync.Cond
	o       ClientOptions
	rng     *rand.Rand
	call    *call // nil: not connected
	inbox   []received
	nonce   int
	replies map[int]chan Message

	// Of the session.
	id, addr, path string
	seq, acked     uint64
	ackAtMost      uint64 // where another client has adopted it
	places         places
}

type received struct {
	m   Message
	err error
}

// NewClient returns a client that is not connected. Close ends it.
func NewClient(n *Network, o ClientOptions) *Client {
	if o.Addr == "" {
		o.Addr = "gateway"
	}
	if o.Path == "" {
		o.Path = "/gateway"
	}
	if o.Version == 0 {
		o.Version = 10
	}
	if o.Encoding == "" {
		o.Encoding = "json"
	}
	c := &Client{network: n, o: o, ackAtMost: forever, addr: o.Addr, path: o.Path, replies: make(map[int]chan Message),
		rng: rand.New(rand.NewPCG(o.Seed, 1))}
	c.changed.L = &c.mu
	return c
}

// Client returns a client that the test's end closes.
func (n *Network) Client(t testing.TB, o ClientOptions) *Client {
	c := NewClient(n, o)
	t.Cleanup(func() { c.Close() })
	return c
}

// ErrNotConnected is returned by what needs a connection.
var ErrNotConnected = errors.New("gatewaytest: not connected")

// Connect dials, does the WebSocket handshake and reads Hello. A connection
// that there is already is dropped, without a word. ctx bounds all of that, not
// the connection.
func (c *Client) Connect(ctx context.Context) error {
	c.Drop()
	c.mu.Lock()
	addr, o := c.addr, c.o
	target := fmt.Sprintf("%s?v=%d&encoding=%s", c.path, o.Version, o.Encoding)
	seed := c.rng.Uint64()
	c.mu.Unlock()
	if o.Compress != "" {
		target += "&compress=" + o.Compress
	}
	if o.Dictionary != nil && o.Compress == "lz4" {
		target += "&dict=" + o.Dictionary.ID() + "&dict_hash=" + o.Dictionary.Hash()
	}
	if o.Ext {
		target += "&ext=1"
	}
	if o.Positions {
		target += "&positions=1"
	}
	nc, err := c.network.Dial(ctx, addr)
	if err != nil {
		return err
	}
	k := newCall(c, nc, o, seed)
	defer context.AfterFunc(ctx, nc.link.Kill)()
	if err := k.begin(addr, target); err != nil {
		nc.Close()
		return errors.Join(err, ctx.Err())
	}
	c.mu.Lock()
	c.call = k
	c.mu.Unlock()
	go k.read()
	if !o.ManualHeartbeat {
		k.beats()
	}
	return nil
}

// Speak changes how the next connection speaks: a session may be resumed in
// any encoding.
func (c *Client) Speak(encoding, compress string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.o.Encoding, c.o.Compress = encoding, compress
}

// Go has the next connection made to another address, whatever READY said.
func (c *Client) Go(addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addr = addr
}

// connected returns the connection, made now if there is none.
func (c *Client) connected(ctx context.Context) (*call, error) {
	c.mu.Lock()
	k := c.call
	c.mu.Unlock()
	if k != nil {
		return k, nil
	}
	if err := c.Connect(ctx); err != nil {
		return nil, err
	}
	return c.current()
}

func (c *Client) current() (*call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.call == nil {
		return nil, ErrNotConnected
	}
	return c.call, nil
}

// Next returns the next message, in order, over all of the client's
// connections. Hello, heartbeats and what answers them are not among them, nor
// are replies that Call waits for. The end of a connection is an error in its
// place: a *[gateway.CloseError] where the server said goodbye.
func (c *Client) Next(ctx context.Context) (Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.wait(ctx, func() bool { return len(c.inbox) > 0 }); err != nil {
		return Message{}, err
	}
	next := c.inbox[0]
	c.inbox = c.inbox[1:]
	return next.m, next.err
}

// Expect reads the next messages, which must be dispatches of these types, and
// returns the last of them. It waits a minute at most.
func (c *Client) Expect(t testing.TB, types ...string) (last Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, typ := range types {
		m, err := c.Next(ctx)
		if err != nil {
			t.Fatalf("want %s, got: %v", typ, err)
		}
		if m.Op != OpDispatch || m.Type != typ {
			t.Fatalf("want %s, got %v", typ, m)
		}
		last = m
	}
	return last
}

// wait waits for what changes under mu, which is held.
func (c *Client) wait(ctx context.Context, ok func() bool) error {
	if ok() {
		return nil
	}
	defer context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})()
	for !ok() {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.changed.Wait()
	}
	return nil
}

// Send sends a message with any opcode and data.
func (c *Client) Send(op int, d any) error {
	k, err := c.current()
	if err != nil {
		return err
	}
	return k.send(op, d)
}

// Heartbeat sends op 1 with the last sequence received, acknowledging it.
func (c *Client) Heartbeat() error {
	k, err := c.current()
	if err != nil {
		return err
	}
	return k.heartbeat()
}

// Link returns the link of the present connection, or of none, whose faults do
// nothing.
func (c *Client) Link() *Link {
	k, err := c.current()
	if err != nil {
		return newLink(c.network, 0, "nobody")
	}
	return k.nc.link
}

// Session returns the session's id, empty before READY and after op 9.
func (c *Client) Session() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// Seq returns the sequence of the last event received.
func (c *Client) Seq() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq
}

// Acked returns the highest sequence that the client has acknowledged by a
// heartbeat in this session: ResumeFrom below it may be refused.
func (c *Client) Acked() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.acked
}

// Connected reports whether there is a connection, as far as the client knows.
func (c *Client) Connected() bool {
	_, err := c.current()
	return err == nil
}

// Ready reports whether the connection has its session: READY or RESUMED was
// received on it.
func (c *Client) Ready() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.call != nil && c.call.state == ready
}

// Drop loses the connection, without a word: the link is killed. The session stays.
func (c *Client) Drop() {
	if k, err := c.current(); err == nil {
		k.fail(errDropped)
		k.nc.link.Kill()
		<-k.over
	}
}

var errDropped = errors.New("gatewaytest: dropped by the client")

// Close ends the session, with 1000, and the connection.
func (c *Client) Close() error { return c.CloseWith(1000) }

// CloseWith says goodbye with a code and ends the connection. With 1000 and
// 1001 it ends the session too.
func (c *Client) CloseWith(code gateway.Code) error {
	k, err := c.current()
	if err != nil {
		return nil
	}
	if k.line != nil && !code.Resume() {
		k.line.leaving()
	}
	k.goodbye(code)
	<-k.over
	return nil
}

// sessionURL takes what READY says about where to resume.
func (c *Client) sessionURL(text string) {
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		c.addr, c.path = u.Host, u.Path
	}
}
