// Package degraded tests that a gateway says when the servers behind its parts are away, keeps its sessions
// meanwhile, and loses nothing. Each adapter's tests give it a real server to take away:
//
//	degraded.Test(t, degraded.World{Options: gateway.Options{Broker: b, Sessions: s}, Publisher: other, Down: server.Kill, Up: server.Start})
package degraded
