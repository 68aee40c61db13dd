// Package gatewaytest tests servers that are built on package gateway: without
// sockets, and in no time, in the bubbles of testing/synctest. It has
//
//   - a [Network] in memory, whose links a test kills, in the middle of a frame
//     if it likes, delays, partitions, stalls and squeezes;
//   - a [Client] that speaks the protocol in every encoding, and resumes;
//   - an [Oracle] that stamps what is published and says what each session
//     should have seen and has not: lost, repeated, reordered;
//   - conformance kits, [Broker], [SessionStore] and [Limiter], for
//     implementations of those interfaces.
//
// A test that a server's sessions survive a drop:
//
//	func TestResume(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			gw, err := gateway.New(options()) // the server's own
//			if err != nil {
//				t.Fatal(err)
//			}
//			network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{Delay: 20 * time.Millisecond})
//			network.Serve(t, "gateway", gw) // until the test ends
//
//			ann := network.Client(t, gatewaytest.ClientOptions{Token: "ann"})
//			if _, err := ann.Identify(t.Context()); err != nil {
//				t.Fatal(err)
//			}
//			ann.Drop()
//			gw.Publish(t.Context(), "guild:7", gateway.Event{Type: "MESSAGE_CREATE", Data: "hello"})
//			time.Sleep(time.Minute) // of the bubble
//			ann.Resume(t.Context())
//			ann.Next(t.Context()) // that the connection was dropped
//			ann.Expect(t, "MESSAGE_CREATE", "RESUMED")
//		})
//	}
//
// # Guarantees
//
// All waiting of a network and its clients is durably blocking, so the clock of
// a bubble runs on while they wait. What goes wrong follows from seeds and from
// what the test says; goroutines that run at the same instant still take turns
// as they like. Everything is safe for concurrent use. A client's goroutines end
// with its connection, a network has none but those of Serve.
//
// The oracle demands what follows from which call had returned when another
// began, and nothing else: publishes, subscriptions and drops may race. It is
// itself tested against servers that are wrong on purpose, and the gateway by
// it, over thousands of random schedules (make sim).
//
// # Non-goals
//
// Throughput: a network copies. Clients of other libraries, which dial for
// themselves. TLS.
package gatewaytest
