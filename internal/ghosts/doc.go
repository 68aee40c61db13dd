// Package ghosts proves that who is online is who is there. Trackers that are processes of their own are killed at
// random instants while people come, change, reconnect, move and go; watchers on the same store are told of each
// person as often as that one really came and went, never in between, and nobody stays online whose node is dead.
//
//	func TestGhosts(t *testing.T) {
//		ghosts.Run(t, ghosts.Options{Open: open, Args: []string{"-test.run=^TestGhosts$"}, Env: "GHOST_OF=" + addr, Kills: 3})
//	}
//
// The test's program is started again for each node, with Args and Env: that test, or its TestMain, calls [Node] there.
package ghosts
