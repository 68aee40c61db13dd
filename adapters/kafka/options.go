package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Options say where a queue is. The zero value of each is a default.
type Options struct {
	// Brokers are some of the cluster's, as host:port. Empty: localhost:9092.
	Brokers []string

	// Topic holds the items; "": "gatehouse-messages". Those that were buried are in the topic of
	// that name with ".dead" behind it. Topics that are not there are made; all the takers of
	// a topic are one consumer group that has its name.
	Topic string

	// Of topics that are made. Partitions is how many takers can be at work at a time; 0: 12.
	// It cannot be changed later: keys would move to other partitions, and out of order.
	// Replication is on how many brokers each is kept, 0: as the cluster says. From 3 on, Put
	// returns when two have an item, so that one may be lost with all it had.
	Partitions  int
	Replication int

	// Retention is for how long a topic that is made keeps an item, dealt with or not; 0: 7
	// days, negative: for ever. An item that nobody takes for so long is lost. The dead are
	// kept for ever.
	Retention time.Duration

	// Handover is how long a taker may go on with what it has taken when partitions are divided
	// anew, because takers come or go; 0: 10 s. All others wait for it. What it has not
	// acknowledged by then is taken again.
	Handover time.Duration

	// Client has more for franz-go: TLS and SASL, kgo.SessionTimeout, after which a taker
	// that died is noticed (10 s here) and kgo.HeartbeatInterval (1 s), a logger. What the queue
	// stands on cannot be changed: the group and its balancer, commits, acks, the partitioner.
	Client []kgo.Opt
}

func (o Options) withDefaults() Options {
	if len(o.Brokers) == 0 {
		o.Brokers = []string{"localhost:9092"}
	}
	if o.Topic == "" {
		o.Topic = "gatehouse-messages"
	}
	if o.Partitions <= 0 {
		o.Partitions = 12
	}
	if o.Replication <= 0 {
		o.Replication = -1 // Kafka's word for the cluster's default
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.Handover <= 0 {
		o.Handover = 10 * time.Second
	}
	return o
}

// client has the options of every client. The two times are of no use without a group, but have to
// agree with what Client says of either.
func (o Options) client(more ...kgo.Opt) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.SessionTimeout(10 * time.Second),
		kgo.HeartbeatInterval(time.Second),
		kgo.DisableClientMetrics(),                 // which are sent to the brokers
		kgo.MetadataMinAge(200 * time.Millisecond), // a leader that moved is found as soon
	}
	return append(append(opts, o.Client...), more...)
}

// producer has those of the client that puts, which has no group.
func (o Options) producer() []kgo.Opt {
	opts := []kgo.Opt{
		kgo.ProducerLinger(0), // a batch is what came while the one before it was sent
		kgo.RecordDeliveryTimeout(patience),
		kgo.UnknownTopicRetries(-1), // the topic is known; a broker that has just started may not know it yet
	}
	opts = append(opts, o.client()...)
	return append(opts,
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.MaxBufferedRecords(2*maxPutting), // never the limit: a Put waits with its own context
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
}

// consumer has those of the client that takes.
func (o Options) consumer(q *Queue) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.RebalanceTimeout(o.Handover + 30*time.Second),
		kgo.FetchMaxWait(time.Second), // for so long a partition that was paused may wait
	}
	opts = append(opts, o.client()...)
	return append(opts,
		kgo.WithContext(q.base),
		kgo.ConsumerGroup(o.Topic),
		kgo.ConsumeTopics(o.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		// Every division begins anew, with what the group remembers: a taker that the group gave up
		// and that keeps its partitions through a cooperative rejoin would not notice who had them
		// in between.
		kgo.Balancers(kgo.StickyBalancer()),
		kgo.BlockRebalanceOnPoll(), // a record belongs to the session in which it was fetched
		kgo.OnPartitionsAssigned(q.assigned),
		kgo.OnPartitionsRevoked(q.revoked),
		kgo.OnPartitionsLost(q.lost))
}
