// Package postgres keeps and finds messages in PostgreSQL: a [Store] is a message.Store, its
// [Index] a message.Index, and a [Replica] answers pages from a server that follows by streaming
// replication. Many processes may share a database.
//
//	store, err := postgres.Open(ctx, "postgres://chat@db1/chat?pool_max_conns=16", postgres.Options{})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	replica, err := store.Replica("postgres://chat@db2/chat")
//	if err != nil {
//		return err
//	}
//	defer replica.Close()
//	p, err := message.New(message.Options{
//		Store: message.NewReplicated(store, message.ReplicatedOptions{}, replica),
//		Index: store.Index(),
//	})
//
// # Guarantees
//
//   - What a method has done is committed. How far that outlives a crash is the server's to say:
//     with synchronous_commit on, as it is by default, it is on the server's disk; with
//     remote_apply it is also on the replicas that synchronous_standby_names has; with off, a
//     crash may take back what was acknowledged in the last 0.6 s. The URL can say it for
//     these connections alone: ?synchronous_commit=remote_apply.
//   - A batch is one statement, or a few if it has more than 8 MB. Of a batch that the server
//     refuses, because PostgreSQL keeps no NUL in text, or a CHECK of the application's does not
//     let a message in, each message is tried alone, and those that fail are in a
//     message.BatchError.
//   - The number of connections is bounded: who finds none free waits for as long as its context
//     lets it. A server that does not answer is an error when the context ends; a connection is
//     given up 5 s after it was begun (connect_timeout).
//   - A lag that a Replica tells is never too short, whatever the clocks of the servers say.
//
// # Tables
//
// Open makes its tables and brings them up to date, one process at a time, in the first schema of
// the search_path, which the URL may set: ?search_path=chat. The role owns them, so it needs
// CREATE on that schema. The database's encoding has to be UTF8.
//
// gatehouse_messages and gatehouse_words are partitioned by the month, in UTC, in which an id was
// given. The next month is made with the one before it, any other when a message of it comes,
// without a lock that others wait for. To forget old ones is the application's: a month goes in
// no time, while deleted rows would have to be vacuumed.
//
//	ALTER TABLE gatehouse_messages DETACH PARTITION gatehouse_messages_2026_01 CONCURRENTLY;
//	DROP TABLE gatehouse_messages_2026_01; -- or archive it, under another name
//	ALTER TABLE gatehouse_words DETACH PARTITION gatehouse_words_2026_01 CONCURRENTLY;
//	DROP TABLE gatehouse_words_2026_01;
//
// The words are kept beside the messages and not in their rows, so that an edit of one does not
// write the other, and either can live in another database. A word is found by a GIN index; the
// channel is one of the words, so that a search in some channels reads nothing of others. Of one
// message, the first megabyte of different words is found.
//
// # Cost
//
// A message takes its bytes and about 50 more, 50 in its index, and in the words and theirs five
// times its text. What is read is read from two months, then from eight more, and so on until there
// is enough, so that a page of late costs the same after ten years, and a search for a common word
// does not read all that has it. Rare words and quiet channels cost a few statements, and those
// over many partitions take milliseconds to be planned: months are fine, days would not be.
//
// # Servers and modules
//
// The tests run against PostgreSQL 15. The client is github.com/jackc/pgx/v5 with its pool, since it
// speaks the protocol in Go alone, has contexts throughout, prepares what is asked often and sends arrays in
// binary; it brings pgpassfile, pgservicefile, puddle, and two modules of golang.org/x. Its
// settings in the URL hold: pool_max_conns, several hosts with target_session_attrs=read-write.
//
// # Non-goals
//
// Backups, failover, and who may connect. Stems, synonyms and ranking: words are those of
// message.Words, as in every other index.
package postgres
