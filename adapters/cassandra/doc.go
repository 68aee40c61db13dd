// Package cassandra keeps messages in Apache Cassandra: a [Store] is a message.Store. Many
// processes may share a keyspace, and of three nodes one may be down.
//
//	store, err := cassandra.Open(ctx, "cassandra://db1,db2,db3/chat", cassandra.Options{Replicas: 3})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//	p, err := message.New(message.Options{Store: store})
//	if err != nil {
//		return err
//	}
//	m, err := p.Send(ctx, message.Message{Channel: "7", Author: "42", Content: "hello"})
//
// # Guarantees
//
//   - What a method has done, a QUORUM of the replicas has, and every page is read from a QUORUM: so
//     with three replicas one node may be dead, or cut off, and nothing that was acknowledged is
//     missing from a page.
//   - Pages are in the order of ids, and of the buckets of a channel only those are read that
//     have been written to: the last page of a channel that has been quiet for years is two reads.
//   - Append leaves what is there as it is, edited or not, and may be tried again, whatever the clocks
//     say: see Timestamps. A deletion that has returned is not undone by an Edit or by a write
//     that is late; an Append that begins after it brings the message back.
//   - Edit and Delete are lightweight transactions: of several callers in several processes one gets an id.
//   - What Cassandra could not keep is in a message.BatchError, alone: text that is not UTF-8, an id
//     above 2^63-1, a message of more than 1 MB.
//   - A statement that fails on one node is tried on two others, if that can do no harm. Each try ends
//     with the context, and after 11 s (gocql's Timeout) in any case.
//   - An Edit or Delete that failed without an answer may still happen later, when the next transaction
//     of its partition finds it begun.
//
// # How far it lasts
//
// A node answers when a write is in its memory and handed to its commit log, and by default
// (commitlog_sync: periodic) writes that log down later: killed, it loses up to 100 ms of what it
// acknowledged, and up to 10 s when the power fails. One node at a time that does so is made up for by
// the others. Where two may be killed within the same moment, on one host or in one rack, set
//
//	commitlog_sync: group   # or batch
//
// on every node: what is acknowledged is on a disk then. Run repairs more often than gc_grace_seconds (ten
// days), or what was deleted while a node was down comes back.
//
// # Tables
//
// Open makes its tables. gatehouse_messages has a partition for each channel and span of
// time, newest message first, so that a busy channel does not outgrow what a partition can be: at
// ten days, 100 MB of it are a message every two seconds. gatehouse_buckets says which of them a channel has; a
// row is written there before the first message of a bucket, once per process, channel and bucket.
// gatehouse_settings has the length of the span, which cannot be changed later.
//
// # Timestamps
//
// Cassandra keeps, of two writes of a cell, the one with the higher timestamp, and a lightweight
// transaction has to leave its timestamp to the server. Here Append writes with the clock
// mirrored: the later, the lower. So of two Appends of an id the first one counts, as does
// any Edit or Delete, also one of the same millisecond and on nodes whose clocks are minutes apart:
// every time of theirs is decades above all mirrored ones. Among the transactions of
// a partition, Cassandra itself makes each timestamp higher than the last.
//
// A message that was deleted would stay hidden under its tombstone if it were appended again: as
// message.Sharded does when it copies a channel back. Append looks, after its write, whether all of the
// batch can be seen, and inserts what cannot by a transaction.
//
// What is left to clocks: two processes that append different messages under one id, which a pipeline
// does not do. One of them counts, whole.
//
// TimeWindowCompactionStrategy takes timestamps for times, and would not find whole files to drop. Use the
// server's default, or UnifiedCompactionStrategy.
//
// # Cost
//
// An Append is a write and a read of ids for every 100 messages or 64 KB of a bucket; a Page a read of bucket
// numbers and one of messages for each bucket that it needs, several at a time. Edit is a read and a
// transaction, of four round trips between the nodes, or two with paxos_variant: v2; Delete the same for
// every 100 ids of a bucket. Transactions of a channel go one after another in a process; between
// processes they get in each other's way, and one that fails for that reason says so. Deleted messages
// cost reads until gc_grace_seconds are over and they are compacted away.
//
// # Servers and modules
//
// The tests run against Cassandra 5.0. The client is github.com/apache/cassandra-gocql-driver/v2, the project's
// own, in Go alone: it knows which nodes have a partition, and it has contexts. It brings inf.v0, for decimals.
//
// # Non-goals
//
// Search: Cassandra's indexes do not order what they find by time. Use another message.Index beside
// this store, that of adapters/postgres or adapters/sqlite for instance. Keyspaces in several data centres are
// the operator's: Options.Cluster can ask for LOCAL_QUORUM and LOCAL_SERIAL, and what is
// promised here then holds within one of them.
package cassandra
