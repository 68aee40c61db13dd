// Package kafka has a message.Queue and a gateway.Broker, each on a topic of Kafka, with
// github.com/twmb/franz-go.
//
// # Queue
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
// What a queue guarantees:
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
// What to know of a queue: a taker has its share of the keys from its first Take on, also while it does
// not take: who only puts should not call Take.
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
// What it costs: a Take and an Ack each wait for a commit, which carries those of others that wait,
// too: take and acknowledge many at a time. A queue that takes has two goroutines, which Close waits for, besides
// those of its two clients, and holds up to about 2,000 items ahead of those that are taken.
//
// # Broker
//
//	broker, err := kafka.NewBroker(ctx, kafka.BrokerOptions{Brokers: []string{"kafka1:9092"}, Replication: 3})
//	if err != nil {
//		return err
//	}
//	defer broker.Close() // behind gw.Shutdown
//	gw, err := gateway.New(gateway.Options{Broker: broker, Sessions: store, Authenticate: authenticate})
//
// All events of all topics are in one topic of Kafka, of a fixed number of partitions (64), which every
// node and every [Publisher] finds by the same hash. A node reads those partitions of which it follows a
// topic, without a group. That is for few heavy topics: where each node has subscribers of most of what
// is published, or of a few partitions. With many small topics each node is sent nearly everything, and
// throws most of it away: take adapters/nats or adapters/redis then, which send a node its topics only.
//
// What a broker guarantees:
//
//   - Publish returns when all in-sync replicas have the event (acks=all, idempotent producer), as Put
//     does. What the client tries again by itself is kept once, in its order; what a caller tries again
//     after an error may be in the log twice. An event with an ID is seen once then: every reader, a feed
//     as well as Since, leaves out a record whose ID one of the 512 before it in its partition has, and
//     for that reads as many more when it begins. (Nodes of a version before that do not.)
//   - Records of a partition, and so of a topic, reach every feed once, in the order of their offsets.
//   - A position is an offset, the leader's epoch in which the record before it was written, and the
//     topic's identity. A leader that changes keeps all positions. Where it lacks the end (an unclean
//     election), positions behind the cut are a gap, also when others have written there since, and
//     feeds that had more are told. Those that had less are told as soon as somebody who knows of it,
//     because he had read it or it was acknowledged to him, writes that into the partition: at once, or
//     with the next Publish of that process there. When none of these lives, they are not told.
//   - While the brokers are away nodes keep what they have, [Broker.Err] says why, and what was published
//     is read when they are back, from where each node was. What is not kept any more by then (Retention,
//     DeleteRecords) is told to each topic of the partition that is followed, with a record that says Gap,
//     and so are records that cannot be read: of a later version, or somebody else's.
//   - Since returns everything up to the end of the partition, as of the call, up to
//     BrokerOptions.History and HistoryBytes; a longer history is a gap.
//   - A call that no broker answers is an error when its context ends, or after 30 s.
//
// What to know of a broker: an event with its topic, type and key has at most about 1 MB
// (kerr.MessageTooLarge), as the brokers' message.max.bytes has it. Following a topic that is published to
// by others at that time may deliver events of just before. A topic of Kafka that is deleted and made anew
// under running nodes is noticed after about a second and told as a gap; what uses it must be opened again.
//
// What it costs: an event is one record in one batch of those that came meanwhile, and is sent to each
// node that reads its partition. Follow asks the brokers for the end of a partition that was not read,
// and nobody otherwise; a partition is read until nobody has followed a topic of it for a minute.
// The first record of one that was not read comes up to 0.1 s late, as a fetch that is under way has to end
// first; kgo.FetchMaxWait in BrokerOptions.Client is that time, and how often idle nodes ask. Since opens
// a client for the time of the call: 5 ms for 100 records. On two cores that one Kafka broker shares, an
// event is delivered 0.9 ms after Publish is called, and 64 publishers have 15,000 a second delivered.
// A Broker has two goroutines, which Close waits for, besides those of its two clients, and asks once a
// second whether the brokers are there.
//
// # Servers and modules
//
// The tests run against Kafka 4.3 and franz-go's kfake. A queue asks for what Kafka has since 2.4, or what speaks its
// protocol, and for room for a text beside an offset; a broker for identities of topics (2.8); older than 4.3 is not tested. franz-go is the client since it is Go alone, has contexts
// throughout, and lets a commit be written by hand. It brings its kadm, kmsg, and kfake for the tests,
// klauspost/compress and pierrec/lz4.
//
// # Non-goals
//
// Topics of others: whoever puts into a topic writes records like these. Deduplication by Item.ID.
// More partitions later, and fewer. Share groups, which have no order.
package kafka
