package gateway

import (
	"context"
	"errors"
)

// Shutdown ends the gateway: new connections are refused, every session is
// told to reconnect elsewhere (op 7) and closed 1012, and when their
// goroutines have ended the broker's feed and the gateway's own presence are
// closed. When ctx ends first, what is left is cut off, and its error
// returned; it returns within ctx whatever clients do.
//
// http.Server.Shutdown does not know of upgraded connections: call this one,
// then that.
func (g *Gateway) Shutdown(ctx context.Context) error {
	if !g.draining.CompareAndSwap(false, true) {
		return ErrClosed
	}
	g.conns.close()
	for _, c := range g.byConn.All() {
		c.sayRestart()
	}
	err := g.conns.wait(ctx)
	if err != nil {
		for _, c := range g.byConn.All() {
			c.abort()
		}
	}
	err = errors.Join(err,
		g.writers.wait(ctx),
		g.identifies.Wait(ctx),
		g.commands.Wait(ctx),
		g.presence.Close(ctx),
		g.feed.Close(ctx),
	)
	g.stop()
	g.clock.Wait()
	g.workers.stop()
	return errors.Join(err, g.topics.calls.wait(ctx))
}

// sayRestart sends a client elsewhere. Reconnect is for those that have seen
// READY: discordgo deadlocks on an earlier one.
func (c *conn) sayRestart() {
	if c.ready() != nil {
		c.send(appendMessage(nil, c.form, opReconnect, nil))
	}
	c.close(CloseRestart, "")
}
