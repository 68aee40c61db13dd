package gatewaytest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// call is one connection of a client. One goroutine reads it; it ends with the
// connection, and over is closed then.
type call struct {
	client  *Client
	o       ClientOptions
	nc      *Conn
	r       *bufio.Reader
	line    *line         // what the oracle is shown; nil without one
	turn    chan struct{} // who writes holds it
	over    chan struct{}
	mask    *rand.Rand              // owned by who has the turn
	heard   bool                    // a message has come; owned by the reader, like
	zlib    *codec.ZlibStreamReader // of its messages; nil: they come as they are
	packed  codec.Codec             // of its messages; nil: they are JSON
	beating time.Duration
	first   time.Duration // until the first heartbeat

	// Guarded by the client's mu.
	state   state
	asked   bool    // Identify waits: READY is for it
	welcome Message // READY
	err     error   // why it ended; set before over is closed
	timer   *time.Timer
	leave   bool // op 7 has come
	unheard bool // the last heartbeat was not answered
}

type state uint8

const (
	hello   state = iota // connected
	signing              // Identify or Resume was sent
	ready                // READY or RESUMED has come
	invalid              // op 9 has
	ended                // the connection has
)

func newCall(c *Client, nc *Conn, o ClientOptions, seed uint64) *call {
	k := &call{client: c, o: o, nc: nc, r: bufio.NewReader(nc), turn: make(chan struct{}, 1), over: make(chan struct{}),
		mask: rand.New(rand.NewPCG(seed, 2))}
	if o.Encoding == "msgpack" {
		k.packed = codec.WithLimits(codec.LZ4(codec.MsgPack), theirs)
	}
	if o.Oracle != nil {
		k.line = &line{oracle: o.Oracle}
	}
	return k
}

// begin does the handshake and reads Hello.
func (k *call) begin(host, target string) error {
	if err := handshake(k.nc, k.r, host, target); err != nil {
		return err
	}
	m, err := k.message()
	if err != nil {
		return err
	}
	var in struct {
		Interval   int64                      `json:"heartbeat_interval"`
		Dictionary *struct{ ID, Hash string } `json:"dictionary"`
	}
	if m.Op != OpHello || m.Decode(&in) != nil || in.Interval <= 0 {
		return fmt.Errorf("%w: want Hello, got %v", ErrProtocol, m)
	}
	if granted, asked := in.Dictionary, k.o.Dictionary; granted != nil {
		if asked == nil || granted.ID != asked.ID() || granted.Hash != asked.Hash() || k.packed == nil {
			return fmt.Errorf("%w: a dictionary that was not asked for: %v", ErrProtocol, m)
		}
		k.packed = codec.WithLimits(asked.LZ4(codec.MsgPack), theirs)
	}
	k.beating = time.Duration(in.Interval) * time.Millisecond
	k.first = time.Duration(k.mask.Float64() * float64(k.beating))
	return nil
}

// message returns the next message. Control frames before it are handled; the
// server's close frame is an error.
func (k *call) message() (Message, error) {
	var whole []byte
	for {
		fin, opcode, payload, err := readFrame(k.r)
		if err != nil {
			return Message{}, err
		}
		switch opcode {
		case framePing:
			if err := k.write(framePong, payload); err != nil {
				return Message{}, err
			}
			continue
		case framePong:
			continue
		case frameClose:
			return Message{}, k.closed(payload)
		case frameText, frameBinary:
			if (opcode == frameBinary) != k.binary(opcode) {
				return Message{}, fmt.Errorf("%w: a frame of type %d in %s", ErrProtocol, opcode, k.o.Encoding)
			}
		case frameContinuation:
		default:
			return Message{}, fmt.Errorf("%w: opcode %d", ErrProtocol, opcode)
		}
		if whole = append(whole, payload...); !fin {
			continue
		}
		if k.zlib != nil {
			if whole, err = k.zlib.Append(nil, whole); err != nil {
				return Message{}, fmt.Errorf("%w: a message does not inflate: %w", ErrProtocol, err)
			}
		}
		return decodeMessage(k.packed, whole)
	}
}

// binary reports whether messages come in binary frames: a server may grant
// zlib-stream or not, and says so by its first frame.
func (k *call) binary(first byte) bool {
	if !k.heard && first == frameBinary && k.o.Compress == "zlib-stream" && k.o.Encoding == "json" {
		k.zlib = codec.NewZlibStreamReader(theirs)
	}
	k.heard = true
	return k.o.Encoding == "msgpack" || k.zlib != nil
}

// closed answers a close frame and says what it means.
func (k *call) closed(payload []byte) error {
	k.write(frameClose, payload[:min(len(payload), 2)])
	if len(payload) < 2 {
		return &gateway.CloseError{Code: 1005}
	}
	return &gateway.CloseError{Code: gateway.Code(binary.BigEndian.Uint16(payload)), Reason: string(payload[2:])}
}

// read reads until the connection ends.
func (k *call) read() {
	c := k.client
	for {
		m, err := k.message()
		if err != nil {
			k.end(err)
			return
		}
		if k.line != nil {
			k.line.receive(m)
		}
		c.mu.Lock()
		mine, reply := k.note(m)
		if !mine && k.o.Receive == nil && reply == nil {
			c.inbox = append(c.inbox, received{m: m})
		}
		c.changed.Broadcast()
		c.mu.Unlock()
		switch {
		case reply != nil:
			reply <- m
		case m.Op == OpHeartbeat:
			k.heartbeat()
		case k.o.Receive != nil && m.Op != OpHeartbeatACK:
			k.o.Receive(m, nil)
		}
	}
}

// note takes from a message what the client keeps of it. It reports whether the
// message is for the client alone, and who waits for it. The client's mu is held.
func (k *call) note(m Message) (mine bool, reply chan Message) {
	c := k.client
	if c.call != k && m.Op != OpReply {
		return false, nil // the client has gone on without it
	}
	switch m.Op {
	case OpHeartbeat:
		return true, nil
	case OpHeartbeatACK:
		k.unheard = false
		return true, nil
	case OpInvalidSession:
		k.state = invalid
		if string(m.Data) == "false" {
			c.id, c.seq, c.acked, c.addr, c.path = "", 0, 0, c.o.Addr, c.o.Path
			c.places = places{}
		}
	case OpReconnect:
		k.leave = true
	case OpReply:
		var in struct {
			N int `json:"n"`
		}
		m.Decode(&in)
		reply = c.replies[in.N]
		delete(c.replies, in.N)
	case OpDispatch:
		c.seq = m.Seq
		c.places.note(m.Place)
		switch m.Type {
		case "READY":
			var in struct {
				SessionID string `json:"session_id"`
				URL       string `json:"resume_gateway_url"`
			}
			m.Decode(&in)
			c.id, c.acked = in.SessionID, 0
			c.sessionURL(in.URL)
			k.state, k.welcome, mine, k.asked = ready, m, k.asked, false
		case "RESUMED":
			k.state = ready
		}
	}
	return mine, reply
}

// end is called once, by the reader.
func (k *call) end(err error) {
	c := k.client
	k.nc.Close()
	c.mu.Lock()
	if k.err == nil {
		k.err = err
	}
	err = k.err
	if c.call == k {
		c.call = nil
	}
	k.state = ended
	if k.timer != nil {
		k.timer.Stop()
	}
	if k.o.Receive == nil {
		c.inbox = append(c.inbox, received{err: err})
	}
	c.changed.Broadcast()
	c.mu.Unlock()
	if k.line != nil {
		k.line.ended(err)
	}
	if k.o.Receive != nil {
		k.o.Receive(Message{}, err)
	}
	close(k.over)
}

// fail makes err the reason for the end that is about to come.
func (k *call) fail(err error) {
	k.client.mu.Lock()
	defer k.client.mu.Unlock()
	if k.err == nil {
		k.err = err
	}
}

func (k *call) send(op int, d any) error {
	data, err := encodeMessage(k.o.Encoding == "msgpack", op, d)
	if err != nil {
		return err
	}
	opcode := byte(frameText)
	if k.o.Encoding == "msgpack" {
		opcode = frameBinary
	}
	return k.write(opcode, data)
}

func (k *call) identify(o ClientOptions) error {
	return k.send(OpIdentify, map[string]any{
		"token": o.Token, "intents": o.Intents,
		"properties": map[string]string{"os": "test", "browser": "gatewaytest", "device": "gatewaytest"},
	})
}

// write sends one frame. A mutex would stop a bubble's clock while it waits.
func (k *call) write(opcode byte, payload []byte) error {
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	_, err := k.nc.Write(appendFrame(nil, opcode, k.mask.Uint32(), payload))
	return err
}

func (k *call) heartbeat() error {
	c := k.client
	c.mu.Lock()
	seq := min(c.seq, c.ackAtMost)
	c.acked = max(c.acked, seq)
	c.mu.Unlock()
	if k.o.Encoding != "msgpack" && seq > 0 { // most of what a client sends in a day
		return k.write(frameText, append(strconv.AppendUint([]byte(`{"op":1,"d":`), seq, 10), '}'))
	}
	if seq == 0 {
		return k.send(OpHeartbeat, nil)
	}
	return k.send(OpHeartbeat, seq)
}

var errZombie = errors.New("gatewaytest: a heartbeat was not answered")

// beats sends heartbeats until the connection ends. One that was not answered
// when the next is due ends it, as libraries do.
func (k *call) beats() {
	c := k.client
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.state == ended {
		return
	}
	k.timer = time.AfterFunc(k.first, func() {
		c.mu.Lock()
		if k.state == ended {
			c.mu.Unlock()
			return
		}
		dead := k.unheard
		k.unheard = true
		k.timer.Reset(k.beating)
		c.mu.Unlock()
		if dead {
			k.fail(errZombie)
			k.nc.Close()
			return
		}
		k.heartbeat()
	})
}

// goodbye sends a close frame, if it fits, and closes.
func (k *call) goodbye(code gateway.Code) {
	k.fail(&gateway.CloseError{Code: code, ByClient: true})
	select {
	case k.turn <- struct{}{}:
		frame := appendFrame(nil, frameClose, k.mask.Uint32(), binary.BigEndian.AppendUint16(nil, uint16(code)))
		k.nc.TryWrite(frame)
		<-k.turn
	default: // a write is stuck: nothing can be said
	}
	k.nc.Close()
}
