// Package batch gathers many small items into few flushes: by count, by bytes or by delay.
//
// A chat server that stores each message with its own INSERT spends its time on round trips; with a batcher
// in between, a hundred messages cost one. [Batcher] keeps one queue, [Keyed] one per key (a channel, a user).
//
//	b := batch.New(func(ctx context.Context, rows []Row) error {
//		return db.InsertAll(ctx, rows)
//	}, batch.Options{MaxItems: 100, MaxDelay: 100 * time.Millisecond}, batch.Hooks[Row]{
//		OnError: func(rows []Row, err error) { deadLetters.Save(rows, err) },
//	})
//	if err := b.Add(ctx, row); err != nil { // waits while 10,000 rows are pending
//		return err // not added: ctx is over, or the batcher is closed
//	}
//	…
//	if err := b.Close(ctx); err != nil { // flushes what is left
//		log.Print(err) // some of it went to OnError instead
//	}
//
// # Guarantees
//
//   - An item that Add accepted (nil error) ends exactly once: in a flush that returned nil, or in one call of
//     OnError. [Stats] counts it as Queued until then, and as Processed or Failed after.
//   - Items of one key are flushed in the order in which they were added, one flush at a time. A batch that is
//     being retried holds back the batches of its own key, and no other key.
//   - A flush that fails, panics or leaves by runtime.Goexit is tried again with the same items after a
//     growing, jittered wait; after the last try the batch goes whole to OnError. A flush that returned nil is
//     never repeated.
//   - At most Options.MaxPending items are held, those being flushed and retried included. TryAdd returns
//     [ErrFull] exactly when that many are held.
//   - Close(ctx) returns within ctx.
//   - Adding allocates nothing in the steady state. A batcher has no goroutine and, whatever the number of
//     keys, one timer; a key without items costs nothing (with Options.Leading: nothing after MaxDelay).
//
// # Non-goals
//
// A batcher keeps its items in memory: what it holds when the process dies is gone. A flush that failed after
// its effect (a timeout behind a commit) is repeated: give items an id and make the flush idempotent. There is no
// bound per key: one key whose flush hangs can fill the whole of MaxPending, so callers that must not wait for
// each other use TryAdd and refuse.
package batch
