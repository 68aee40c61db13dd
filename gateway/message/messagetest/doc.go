// Package messagetest has the tests that every message.Store, message.Index and message.Queue must
// pass: a case for each sentence of their contracts. Run them against your own:
//
//	func TestStore(t *testing.T) {
//		messagetest.Store(t, func(t testing.TB) message.Store {
//			return mystore.Open(t.TempDir()) // empty, and closed by t.Cleanup
//		})
//	}
//
// A failure names the sentence that is broken and says what was seen. Cases run one after
// another and need no order among them. What open returns has to be empty, not new: where a
// server is slow to start, let all cases share one and give each a namespace of its own.
//
// # Crashes
//
// QueueCrash kills the servers below a queue while messages go through it, and looks whether what was acknowledged is stored
// once, in order:
//
//	messagetest.QueueCrash(t, messagetest.Crash{
//		Taker: func(ctx context.Context) (message.Queue, error) { return myqueue.Open(ctx, server.Addr()) },
//		Kill:  server.Kill, Start: server.Start,
//		Instants: 50,
//	})
//
// # Guarantees
//
// The cases are themselves tested against stores, indexes and queues that are broken on purpose:
// each case catches one that the sentence it is named after does not hold for. So is QueueCrash.
//
// # Non-goals
//
// What only a kill shows of a store: that what was stored is still there when the process, or the server behind it, is
// killed. Speed is not looked at, except where the contract names a time.
package messagetest
