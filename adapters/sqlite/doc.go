// Package sqlite keeps messages in a SQLite file and finds them by their words, with
// modernc.org/sqlite: no C compiler, no server. It is for one process, or a few on one machine; a
// restart, also after a crash, finds everything that was acknowledged.
//
//	store, err := sqlite.Open(ctx, "chat.db", sqlite.Options{})
//	if err != nil {
//		return err // one line that says what is wrong with the file
//	}
//	defer store.Close()
//	p, err := message.New(message.Options{Store: store, …}) // which gives messages their ids
//	…
//	page, err := store.Page(ctx, "7", message.Query{Limit: 50}) // the newest 50, oldest first
//	hits, err := store.Search(ctx, message.Search{Text: "hello", Limit: 25})
//
// # Guarantees
//
//   - What a method has done survives the end of the process: the file is in WAL
//     mode with synchronous=NORMAL. A power failure may lose the last moments,
//     and never breaks the file.
//   - What is kept is found, and what is not kept is not: a message and its words go into the file,
//     are changed and deleted in one transaction. So a Pipeline need not be told of the index; if
//     it is, that costs it a look at each message.
//   - A Store is safe for concurrent use. Writes go one at a time, readers do not
//     wait for them; those who wait to append share one transaction. One goroutine runs these,
//     from Open until Close, which waits for it.
//   - A file that is not ours, too new or unreadable is refused and not changed;
//     damage that Open does not meet is told by the method that does, as ErrDamaged.
//     A file of an older version is brought up to date by Open, in one transaction.
//
// # Non-goals
//
// Ids, permissions and what a message means are the application's.
package sqlite
