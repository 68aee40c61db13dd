// Package kafka is a message.Queue on a topic of Kafka, with github.com/twmb/franz-go.
//
//	queue, err := kafka.Open(ctx, kafka.Options{Brokers: []string{"kafka1:9092"}, Replication: 3})
//	if err != nil {
//		return err
//	}
//	defer queue.Close()
//	p, err := message.New(message.Options{Store: store, Queue: queue, Deliver: deliver})
//	if err != nil {
//		return err
//	}
//	go p.Consume(ctx) // in as many processes as there are partitions, at most
//	m, err := p.Send(ctx, message.Message{Channel: "7", Author: "42", Content: "hello", Nonce: "1"})
//
// An item is a record; its key chooses the partition. The takers are a consumer group, which gives
// each partition to one of them: so the items of a key are with one taker at a time, in order.
//
// # Guarantees
//
//   - Put returns when all in-sync replicas have the items (acks=all, idempotent producer): with
//     Options.Replication from 3 on, at least two brokers. As Kafka does, these keep them in the
//     memory of their kernels first: a process that is killed loses nothing, all replicas that
//     lose their power at once may.
//   - Ack returns when the group remembers it, in any order: not only up to which offset all is
//     dealt with, but also which items behind it. That, how often each was taken and who had the
//     partition last is a text of at most 4 KB that is committed beside the offset. So what was
//     acknowledged is not taken again when its taker is killed, and Tries (up to 128)
//     and Epoch are exact.
//   - When takers come or go, partitions are divided anew. Who has items out deals with them first,
//     for at most Options.Handover, and is given none meanwhile; to acknowledge later is an error
//     and changes nothing. A taker that the group gave up cannot take or acknowledge: its commits
//     are refused.
//   - A broker that does not answer is an error when the context ends, or after 30 s; Take waits as
//     long as its context lets it.
//
// # What to know
//
// A taker has its share of the keys from its first Take on, also while it does not take: who only
// puts should not call Take.
//
// When a partition has 700 items that are taken and not acknowledged, or 16,384 behind the oldest of
// them, no more of it are given out until some are.
//
// All partitions are given up and given out again whenever a taker comes or goes (an eager, sticky
// balancer). For the time that takes, a heartbeat (1 s) and what is being dealt with, nobody is
// given anything. A taker that died is noticed after 10 s. Both times are options of franz-go, see
// Options.Client.
//
// Kafka forgets by time: an item that is not taken within Options.Retention is gone, and so is what
// a group remembers when it has had no taker for offsets.retention.minutes (7 days): then all that
// is still kept is taken again.
//
// # Cost
//
// A Take and an Ack each wait for a commit, which carries those of others that wait, too: take and
// acknowledge many at a time. A queue that takes has two goroutines, which Close waits for, besides
// those of its two clients, and holds up to about 2,000 items ahead of those that are taken.
//
// # Servers and modules
//
// The tests run against Kafka 4.3 and franz-go's kfake. It asks for what Kafka has since 2.4, or what speaks its
// protocol, and for room for a text beside an offset; older than 4.3 is not tested. franz-go is the client since it is Go alone, has contexts
// throughout, and lets a commit be written by hand. It brings its kadm, kmsg, and kfake for the tests,
// klauspost/compress and pierrec/lz4.
//
// # Non-goals
//
// Topics of others: whoever puts into the topic writes records like these. Deduplication by Item.ID.
// More partitions later, and fewer. Share groups, which have no order.
package kafka
