package gatewaytest

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Call sends a command, which needs Ext, waits for its reply and unmarshals it
// into out, unless that is nil. An error reply is a *[gateway.CommandError].
func (c *Client) Call(ctx context.Context, name string, in, out any) error {
	c.mu.Lock()
	c.nonce++
	nonce := c.nonce
	c.mu.Unlock()
	return c.CallAgain(ctx, nonce, name, in, out)
}

// CallAgain is Call with a nonce of the caller's: on the session that a command
// was sent on before, the server answers the same nonce without running it again.
func (c *Client) CallAgain(ctx context.Context, nonce int, name string, in, out any) error {
	k, err := c.current()
	if err != nil {
		return err
	}
	reply := make(chan Message, 1)
	c.mu.Lock()
	c.replies[nonce] = reply
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.replies, nonce)
		c.mu.Unlock()
	}()
	if err := k.send(OpCommand, map[string]any{"t": name, "d": in, "n": nonce}); err != nil {
		return err
	}
	select {
	case m := <-reply:
		return decodeReply(m, out)
	case <-k.over:
		return errors.Join(ErrNotConnected, k.err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func decodeReply(m Message, out any) error {
	var body struct {
		D json.RawMessage       `json:"d"`
		E *gateway.CommandError `json:"e"`
	}
	switch err := m.Decode(&body); {
	case err != nil:
		return err
	case body.E != nil:
		return body.E
	case out == nil:
		return nil
	}
	return json.Unmarshal(body.D, out)
}
