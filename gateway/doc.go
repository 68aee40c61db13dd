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
// # Guarantees
//
//   - Every session sees the events of a topic in one order, without loss or
//     repetition, from Subscribe to Unsubscribe, or is told that it does not: a
//     slow consumer is closed 4100.
//   - Nothing that a client sends panics, allocates beyond its limit or holds up
//     another client.
//   - A stalled reader costs its own bounded ring and what the kernel buffers.
//   - Shutdown returns within its context; no goroutine outlives it.
//
// # Not here
//
// Who may see what: Authenticate, Ready and the topics that they choose are
// the application's. What is kept: messages are the application's, too.
// Sessions end with their connection in this version; a Resume is answered
// with Invalid Session.
package gateway
