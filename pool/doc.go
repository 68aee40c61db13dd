// Package pool is a registry of who is connected: bounded, sharded, with limits per user or address, and with a count
// of who is idle.
//
//	p := pool.New[string, *Conn](pool.Options{
//		Max:       10_000,
//		IdleAfter: time.Minute,
//		Limits:    map[string]int{"address": 50, "user": 5},
//	})
//	if err := p.Add(id, conn, pool.Label{Kind: "address", Value: ip}); err != nil {
//		return err // pool.ErrFull, pool.ErrDuplicate or a *pool.LimitError
//	}
//	defer p.Remove(id)
//	…
//	err := p.Attach(id, pool.Label{Kind: "user", Value: user}) // known only after signing in
//	p.Touch(id)                                                // on every sign of life
//	for _, c := range p.With(pool.Label{Kind: "user", Value: user}) {
//		c.Close()
//	}
//	for _, c := range p.EvictIdle() { // from time to time
//		c.Close()
//	}
//
// # Guarantees
//
//   - Each call takes effect at one moment between its start and its end. There are never more than Options.Max entries,
//     nor more of a label than its limit; ErrFull and ErrLimit are returned only when the bound is really reached at
//     that moment, not because another call that fails in the end had reserved room.
//   - A failed Add or Attach changes nothing. Remove and EvictIdle release an entry's place and all its labels at once.
//   - An entry is idle when it was not touched for Options.IdleAfter, counted in steps of an eighth of it: never too
//     early, at most an eighth too late. Stats and EvictIdle mean the same by it.
//   - Iteration holds no lock while the loop's body runs: the body may call any method, and others go on meanwhile.
//   - Get and Touch allocate nothing and do not write to memory that calls for keys of other shards touch. Get writes
//     nothing at all, and Touch only once in each step, unless an entry of the same shard comes or goes just then.
//   - An entry weighs 16 bytes in a table that is 3/8 to 3/4 full, and an object of 32 bytes beside its key's and its
//     connection's words: 75 bytes for a string that leads to a pointer. A label adds 32 and a pointer; the
//     first to bear one, 64 and another 16 in a table.
//
// # Non-goals
//
// The pool neither opens, closes nor reads connections, starts no goroutine and has no timer: who evicts decides when,
// and what becomes of the evicted.
package pool
