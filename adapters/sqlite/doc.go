// Package sqlite keeps messages in a SQLite file, with modernc.org/sqlite: no
// C compiler, no server. It is for one process; a restart, also after a crash,
// finds everything that was acknowledged.
//
//	store, err := sqlite.Open(ctx, "chat.db", sqlite.Options{})
//	if err != nil {
//		return err // one line that says what is wrong with the file
//	}
//	defer store.Close()
//	err = store.Append(ctx, sqlite.Message{ID: 1, Channel: 7, Author: 42, Content: "hello"})
//	page, err := store.History(ctx, 7, 0, 50) // the newest 50, oldest first
//
// # Guarantees
//
//   - What a method has done survives the end of the process: the file is in WAL
//     mode with synchronous=NORMAL. A power failure may lose the last moments,
//     and never breaks the file.
//   - A Store is safe for concurrent use. Writes go one at a time, readers do not
//     wait for them.
//   - A file that is not ours, too new or unreadable is refused and not changed;
//     damage that Open does not meet is told by the method that does, as ErrDamaged.
//
// # Non-goals
//
// Ids, permissions and what a message means are the application's.
package sqlite
