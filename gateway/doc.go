// Package gateway is a real-time server that a Go service mounts as an
// http.Handler. It speaks the Discord Gateway protocol, v9 and v10, so that the
// client libraries that exist for it in a dozen languages are clients of a
// gatehouse server with only their base URL changed; docs/protocol.md has the
// wire, and the extensions for clients that ask.
//
//	gw, err := gateway.New(gateway.Options{
//		Authenticate: func(ctx context.Context, id gateway.Identify) (gateway.User, error) {
//			return users.ByToken(ctx, id.Token) // gateway.ErrUnauthorized refuses it
//		},
//		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
//			return nil, s.Subscribe(ctx, "guild:7")
//		},
//	})
//	if err != nil {
//		return err
//	}
//	gateway.Handle(gw, "SEND_MESSAGE", func(ctx context.Context, s *gateway.Session, in Send) (Message, error) {
//		msg, err := store.Append(ctx, s.User().ID, in)
//		if err != nil {
//			return Message{}, err
//		}
//		return msg, gw.Publish(ctx, "guild:7", gateway.Event{Type: "MESSAGE_CREATE", Data: msg, Intent: gateway.IntentGuildMessages})
//	})
//	mux.Handle("/gateway", gw)
//	defer gw.Shutdown(ctx)
//
// # How it works
//
// A connection is read by one goroutine and written by nobody in particular:
// whoever has something for it writes straight to the socket, without
// blocking, and a goroutine for writing exists only while a socket does not
// take more. A session is a ring of references to shared events; publishing
// appends to rings, writing gives the sequences, heartbeats acknowledge them.
// The sessions of a process are divided into a few lanes; publishing enqueues
// once per lane, and a few workers walk the lanes. An event is encoded once
// per encoding, however many sessions it goes to. docs/design.md tells the
// rest, docs/concurrency.md the goroutines and locks.
//
// # Sessions
//
// A session outlives its connections. One that drops comes back within
// Limits.ResumeWindow, on a new connection of any encoding, from any sequence
// that it was sent, and is sent everything that it missed, in order, once; or is
// told that this cannot be (Invalid Session), never a part of it. A client's own
// 1000 or 1001 ends the session; every other end keeps it. A reader that is too
// slow is closed 4100 and resumes like any other.
//
// With Options.Sessions a session is in the store before its client learns of it,
// so that any node which shares the store can go on with it. A store that takes
// longer than a second is not waited for: a session that begins meanwhile is there
// when the store answers.
//
// Shutdown drains: with Options.Sessions, each session is saved before its
// client is sent elsewhere, and the gateway that it reaches takes it up: the
// next in the same process (HandTo), or one that shares store and broker.
//
// # Guarantees
//
//   - Every session sees the events of a topic in one order, without loss or
//     repetition, from Subscribe to Unsubscribe, across drops, resumes and
//     drains, or is told that it does not.
//   - Nothing that a client sends panics, allocates beyond its limit or holds up
//     another client.
//   - A stalled reader costs its own bounded ring and what the kernel buffers;
//     what all rings hold together has a budget, and the worst are given up first.
//   - Shutdown returns within its context; no goroutine outlives it.
//
// Package gatewaytest proves them, and what you build on them: an in-memory
// network with faults, clients, and an oracle.
//
// # What is going on
//
// Stats is a plain struct, Expvar the same for package expvar; OnAlert tells of
// thresholds that are crossed, OnSlow of sessions that do not keep up,
// Session.Queue what one holds; Degraded and ServeHealth say which of the broker
// and the stores do not work. docs/running.md is for who operates a gateway.
//
// # Not here
//
// Who may see what: Authenticate, Ready and the topics that they choose are
// the application's. What is kept: messages are the application's, too. A
// process that is killed takes its sessions with it: their clients are told and
// sign in again.
package gateway
