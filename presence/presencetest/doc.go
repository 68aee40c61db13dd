// Package presencetest has the tests that every presence.Store must pass: one
// case for each sentence of its contract. Run them against a store of yours:
//
//	func TestStore(t *testing.T) {
//		presencetest.Run(t, func(t testing.TB) presence.Store {
//			return mystore.Open(t.TempDir()) // empty, and closed by t.Cleanup
//		})
//	}
//
// A failure names the sentence that is broken. The cases need no order among
// them, nor that the store's clock is right: only that it runs. They are themselves tested against
// stores that are broken on purpose, one for each sentence.
package presencetest
