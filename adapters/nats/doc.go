// Package nats has what gatehouse keeps in NATS JetStream, with github.com/nats-io/nats.go: a message.Queue,
// and what the gateways of a cluster share: a gateway.Broker, with a [Publisher] for services that have no
// gateway, a gateway.SessionStore ([Sessions]), a presence.Store ([Presence]) and a shard.Directory ([Directory]).
//
//	conn, err := natsgo.Connect("nats://localhost:4222", natsgo.MaxReconnects(-1), natsgo.PingInterval(10*time.Second))
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	js, err := jetstream.New(conn)
//	if err != nil {
//		return err
//	}
//	queue, err := nats.NewQueue(ctx, js, "messages", nats.QueueOptions{})
//	if err != nil {
//		return err
//	}
//	defer queue.Close() // others get at once what it has taken
//	p, err := message.New(message.Options{Store: store, Queue: queue})
//	…
//	go p.Consume(ctx)
//
// You bring the connection, with its TLS, credentials, and JetStream domain. Two of its settings are
// yours to choose well: MaxReconnects(-1), since a connection gives up for good after two minutes
// without a server, and PingInterval, since it takes two of them until a silent server is left for
// another. Its user has to be allowed to publish to $JS.API.> and $JS.ACK.>, and to publish to and
// subscribe to gatehouse.queue.NAME.> and its inboxes.
//
// # How the queue works
//
// The keys are divided into partitions, 16 of them unless the queue was made with more; each is a
// subject of one work-queue stream. Who makes the consumer of such a subject has the partition: a work
// queue has one consumer for a subject, so the server gives each to one taker, and deletes the
// consumer of a taker that it does not hear of. A partition that changes hands gets a new consumer,
// which begins with the first item that is not acknowledged; what its last taker still says is to
// nobody. No clock counts but the server's. (JetStream's pinned clients would not do: the next one is
// given new items before those that the last one did not acknowledge.) Takers share the partitions
// evenly as they come and go; one that has more than its share gives some up when what it took of them
// has been dealt with. More takers than partitions wait. The names of all streams and subjects are in
// names.go.
//
// # Guarantees of the queue
//
//   - What Put returned nil for is there until it is acknowledged or buried, as far as the server
//     keeps what it has acknowledged: see below. An item with an ID that was put under the same key
//     within QueueOptions.Duplicates is dropped, also if it has been dealt with since. Of an item
//     that has been dealt with, a server that starts again does not know that.
//   - The items of a key come in their order, to one taker at a time. When a taker dies, the next
//     one begins with what it had, after QueueOptions.Lease and up to a second more; after Close,
//     at once.
//   - A taker that was taken for dead and is not is given nothing any more, and its words change
//     nothing: Ack and Bury return an error.
//   - Tries (up to 100) and Epoch are exact, but that a Take that fails while its taker dies may
//     count, and one while the storage is full may not.
//   - Whoever waits for a server waits no longer than ctx, whether the client heeds it or not, and no
//     longer than 10 s for an answer, but for Take, which waits for items. A server that comes back is
//     used again. A taker that was cut off for less than its lease goes on where it was; what was on
//     its way to it meanwhile comes again after a quarter of that, in its order.
//   - A queue, an account or a server whose storage is full refuses Put, and is emptied all the same.
//
// # What the server keeps
//
// JetStream answers when it has given a message to the kernel. So a server that is killed loses
// nothing. When power fails, or the kernel stops, a server alone loses what it had not synced:
//
//	sync_interval: 2m (the default)    up to two minutes of it
//	sync_interval: always              nothing, at the disk's pace
//	QueueOptions.Replicas: 3           what two of three servers lost at once
//	jetstream.MemoryStorage            everything, when the server ends
//
// What is lost may be a Put, which is then gone, or an acknowledgement: then the item comes again,
// and a message.Pipeline knows it by its nonce. NewQueue refuses a stream that forgets by age or
// discards what is old, and cannot see sync_interval.
//
// # Cost of the queue
//
// Put is one round trip for an item, and one after another for several of one partition. Take is one
// for each partition that it takes of, side by side, since it writes down what is taken; Ack is one
// for each item, side by side. An item is a message with two headers. For each of its partitions a
// taker has a goroutine and a subscription, asks for more every quarter of a lease, and holds ahead up
// to 1,000 items, or twice the largest message's bytes; it has one goroutine more, and one for each call that
// is running. Close waits for all of them. What a taker holds for long is sent to it again every
// quarter of a lease.
//
// # The broker
//
//	broker, err := nats.NewBroker(ctx, js, "chat", nats.BrokerOptions{})
//	sessions, err := nats.NewSessions(ctx, js, "chat", nats.StoreOptions{})
//	gw, err := gateway.New(gateway.Options{Broker: broker, Sessions: sessions, …})
//
// What is published is stored in one stream, and its place there is its position; the topics are divided
// into partitions, 64 of them unless the broker was made with others. The server sends on what it has
// stored, to a subject of the topic: a node subscribes to those of its topics, and so gets one message for an
// event if it has followers, however many, and none if it has not. Several gateways of a process may
// share one Broker.
//
//   - What Publish returned nil for is in the history, once, also when it had to be asked for again, and
//     reaches every node that follows its topic, once, in the order of the history. An event with an ID
//     that a caller publishes again within 30 s is there once too.
//   - When the server, the connection or a cluster's leader goes away, sessions stay, [Broker.Err] and the log
//     say so, and when it comes back the node reads what it missed, before what comes. When the history
//     does not reach back, or the stream was made anew, each topic is told that there is a gap.
//   - A stream that has lost its end, as after a power failure, would give places to new events that others
//     had. A node that has seen more than is there has the stream go on behind that, and forget what it
//     has: sessions that wait for it are told. When no node has, nobody knows.
//   - An event that is lost between two servers of a cluster, whose client stays connected, is found out by
//     the next one of its topic, and read; when the leader has changed, within 2 s.
//   - A record that cannot be read, as a newer version has written it, is a gap of its topic; a session is
//     refused (gateway.ErrVersion), presence is not seen. See "Upgrading" in docs/running.md.
//   - Events are up to max_payload of the server (1 MB), topics up to 1,000 bytes.
//
// The history is BrokerOptions.History long, and of HistoryBytes; when that is more than the server may
// store, NewBroker fails. Each position is one of the stream, so one of a topic that was quiet for longer than
// that is a gap, though nothing was missed; a gateway that drains keeps positions fresh.
//
// Publish is one round trip. Follow is two messages and shares a round trip with all that are called at
// once; so does Since, which is three more and reads 500 records, or 1 MB, at a time. Every two seconds some node
// publishes a message of one byte, by which the others see how far they are, and each asks the leader how
// it is. A Broker has three goroutines, and one for each call that is running. What has come and was not
// delivered is 128,000 messages at most, or 64 MB; what is beyond that is read again. In a cluster of
// servers one of them leads the stream: all that is published goes through it.
//
// # Sessions and presence
//
// Each is a stream with one message for a key, which is replaced by its sequence: of several who take a session one
// gets it. A node's lease is a message, and over by the clock of the server that leads, which has its
// time: no clock of a node counts. What is over is forgotten by the server itself. With every save a server
// writes the whole session; sessions are saved side by side, 256 at once.
//
// A node's presence lease is one message too, whatever the node answers for, by the same clock; only when a node
// dies are all entries read once, and those that it had written. Put is two round trips, side by side for many
// entries, Since one when nothing changed. A presence stream that is deleted, or was in the memory of a server that
// ended, is made again, and trackers fill it.
//
// A [Directory], in which nodes find each other, is a stream of this kind too, with a message for each node;
// its lease is over by the clock of the server that leads.
//
// What Save, Put and Publish returned nil for is kept as far as the server keeps what it has acknowledged; see
// above. The user has to be allowed to publish to and subscribe to gatehouse.broker.NAME.>,
// gatehouse.live.NAME.>, gatehouse.sessions.NAME.>, gatehouse.presence.NAME.> and gatehouse.nodes.NAME.>, too.
//
// # Servers and modules
//
// Passwords, keys and TLS are the connection's. A New that the server does not answer within 10 s, or whose connection was closed,
// says what the connection was told: that the password is wrong, the certificate is nobody's, or what the user may not send.
//
// The queue asks for nothing newer than NATS 2.10, the others for 2.11; the tests run against 2.15, alone and as a cluster of three.
// nats.go is the client since it is the vendor's own, in Go alone, released every few weeks, and what a Go
// service with NATS has already. It brings nkeys (the tests sign with it), nuid, golang.org/x/crypto, golang.org/x/sys and
// klauspost/compress. The server is in go.mod for the tests, which have it in their process: no
// program that uses this package is built with it.
//
// # Non-goals
//
// Streams of others: whoever puts into these subjects writes messages like these. More partitions
// later, and fewer: make another queue, and let the old one run empty. The dead are kept until somebody
// removes them (nats stream purge gatehouse-side-NAME --subject 'gatehouse.queue.NAME.dead.*').
package nats
