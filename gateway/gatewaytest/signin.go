package gatewaytest

import (
	"context"
	"encoding/json"
	"errors"
)

// errInvalid is what Identify returns when op 9 came in place of READY.
var errInvalid = errors.New("gatewaytest: invalid session")

// Identify begins a session, connecting first if the client is not, and waits
// for READY, which it returns and Next does not. An error is why there was
// none: *[gateway.CloseError], or what broke the connection.
func (c *Client) Identify(ctx context.Context) (Message, error) {
	k, err := c.connected(ctx)
	if err != nil {
		return Message{}, err
	}
	c.mu.Lock()
	o := c.o
	k.state, k.asked = signing, true
	c.mu.Unlock()
	if err := k.identify(o); err != nil {
		return Message{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.wait(ctx, func() bool { return k.state != signing })
	switch {
	case err != nil:
	case k.state == ready:
		return k.welcome, nil
	case k.state == invalid:
		err = errInvalid
	default:
		err = k.err
	}
	return Message{}, err
}

// Resume asks for the session to go on behind the last event that the client
// has received, connecting first if it is not. It does not wait: what was
// missed, then RESUMED, or op 9, come as messages. On a connection that has its
// session already the server refuses it, with 4005.
func (c *Client) Resume(ctx context.Context) error { return c.ResumeFrom(ctx, c.Seq()) }

// ResumeFrom is Resume for a client that has seen the session up to seq.
func (c *Client) ResumeFrom(ctx context.Context, seq uint64) error {
	k, err := c.connected(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	in := map[string]any{"token": c.o.Token, "session_id": c.id, "seq": seq}
	if c.o.Positions {
		rest, _ := json.Marshal(in)
		in["p"] = c.places.newest(mostInbound - len(rest) - envelope)
	}
	id := c.id
	begins := k.state != signing && k.state != ready // else what it has received moves meanwhile
	if begins {
		c.seq = seq
		k.state = signing
	}
	c.mu.Unlock()
	if begins && k.line != nil && id != "" {
		k.line.resuming(id, seq)
	}
	return k.send(OpResume, in)
}

// mostInbound is what a message of a client's has at most: the gateway's own bound,
// unless its limits say otherwise. Around the data of a Resume is its envelope.
const (
	mostInbound = 4096
	envelope    = len(`{"op":6,"d":,"p":[]}`)
)

// Adopt has the client go on with another's session, from what that one has
// received: a second connection for Resume to take the session over with. The
// other one acknowledges nothing beyond that any more.
func (c *Client) Adopt(other *Client) {
	other.mu.Lock()
	other.ackAtMost = other.seq
	id, seq, addr, path, places := other.id, other.seq, other.addr, other.path, other.places.clone()
	other.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.seq, c.acked, c.addr, c.path, c.places = id, seq, seq, addr, path, places
}
