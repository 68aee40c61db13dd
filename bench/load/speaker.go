package load

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Speaker is a protocol, as far as a client needs it to be sent events.
type Speaker struct {
	Path string // of the handshake, with its query

	// Opened returns what a client sends after the handshake; nil: nothing. It and
	// Message set c.Ready when the client is sent events from then on.
	Opened func(c *Client) []byte

	// Message handles a message and returns what to answer, and how many events it
	// brought.
	Message func(c *Client, payload []byte) (answer []byte, events int)

	// Heartbeat is what a client sends when it is due; nil: it need not.
	Heartbeat func(c *Client) []byte
}

// Plain is a server that sends events and nothing else, one in a frame.
func Plain() *Speaker {
	return &Speaker{
		Path:    "/ws",
		Opened:  func(c *Client) []byte { c.Ready = true; return nil },
		Message: func(*Client, []byte) ([]byte, int) { return nil, 1 },
	}
}

// Gatehouse is Discord's protocol, version 10 in JSON. Sequences are checked:
// one that does not follow counts in Client.Gaps.
func Gatehouse() *Speaker {
	hello, ready, resumed := []byte(`"op":10,`), []byte(`"t":"READY"`), []byte(`"t":"RESUMED"`)
	return &Speaker{
		Path: "/gateway?v=10&encoding=json",
		Message: func(c *Client, b []byte) ([]byte, int) {
			if seq, ok := sequence(b); ok {
				switch {
				case seq == 1 && bytes.Contains(b[:min(len(b), 60)], ready):
					c.seq, c.Ready = 1, true
					c.session = cutString(b, `"session_id":"`)
					return nil, 0
				case bytes.Contains(b[:min(len(b), 60)], resumed):
					c.Ready = true
					if seq != c.seq {
						c.crowd.Gaps++
					}
					return nil, 0
				}
				if seq != c.seq+1 {
					c.crowd.Gaps++
				}
				c.seq = seq
				return nil, 1
			}
			switch {
			case bytes.Contains(b, hello):
				c.interval(b)
				if c.session != "" {
					return frame(opText, fmt.Appendf(nil, `{"op":6,"d":{"token":"user-%d","session_id":%q,"seq":%d}}`, c.ID, c.session, c.seq)), 0
				}
				return frame(opText, fmt.Appendf(nil, `{"op":2,"d":{"token":"user-%d","intents":33281,"properties":{"os":"linux","browser":"bench","device":"bench"}}}`, c.ID)), 0
			case bytes.Contains(b, []byte(`"op":9,`)):
				c.crowd.Refused++
			case bytes.Contains(b, []byte(`"op":11,`)):
				c.crowd.Acks++
			}
			return nil, 0
		},
		Heartbeat: func(c *Client) []byte {
			return frame(opText, append(strconv.AppendUint([]byte(`{"op":1,"d":`), c.seq, 10), '}'))
		},
	}
}

// sequence reads {"s":N, which is how the gateway's dispatches begin.
func sequence(b []byte) (n uint64, ok bool) {
	const head = `{"s":`
	if len(b) < len(head)+2 || string(b[:len(head)]) != head {
		return 0, false
	}
	for i := len(head); i < len(b) && b[i]-'0' <= 9; i++ {
		n, ok = 10*n+uint64(b[i]-'0'), true
	}
	return n, ok
}

// cutString returns the string behind a key, up to its quote.
func cutString(b []byte, key string) string {
	_, rest, ok := bytes.Cut(b, []byte(key))
	if !ok {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}

// interval takes the heartbeat interval of Hello; the first one is jittered.
func (cl *Client) interval(hello []byte) {
	_, rest, _ := bytes.Cut(hello, []byte(`"heartbeat_interval":`))
	ms := 0
	for i := 0; i < len(rest) && rest[i]-'0' <= 9; i++ {
		ms = 10*ms + int(rest[i]-'0')
	}
	if ms > 0 && !cl.beating {
		cl.beating = true
		cl.crowd.every = time.Duration(ms) * time.Millisecond
		cl.crowd.beatIn(cl, time.Duration(cl.crowd.rng.Float64()*float64(cl.crowd.every)))
	}
}
