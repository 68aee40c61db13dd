// Package shardtest has the tests that every shard.Directory must pass: one case
// for each sentence of its contract. Run them against a directory of yours:
//
//	func TestDirectory(t *testing.T) {
//		shardtest.Directory(t, func(t testing.TB) shard.Directory {
//			return mystore.Open(t.TempDir()) // empty, and closed by t.Cleanup
//		})
//	}
//
// A failure names the sentence that is broken. The cases wait for leases of one to two
// seconds by the directory's own clock, about four in all, and need no order among them. They are
// themselves tested against directories that are broken on purpose, one for each
// sentence.
package shardtest
