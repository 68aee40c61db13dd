// Package mediatest has the tests that every media.Store must pass: one case for each sentence of
// its contract. Run them against a store of yours:
//
//	func TestStore(t *testing.T) {
//		mediatest.Run(t, func(t testing.TB, maxSize int64) media.Store {
//			return mystore.Open(t.TempDir(), maxSize) // empty, and closed by t.Cleanup
//		})
//	}
//
// A failure names the sentence that is broken. The cases do not look at the clock and need no order
// among them. They are themselves tested against stores that are broken on purpose, one for each
// sentence. That a store outlives a kill they do not see: test it with a second process.
package mediatest
