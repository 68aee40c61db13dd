package gateway

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
)

// MemoryBroker is a [Broker] for the gateways of one process. It keeps a bounded
// history, so that a session which one gateway has saved misses nothing until
// another takes it up; [MemoryBroker.MarshalBinary] takes that along to
// another process. An ID is known as long as the history holds its record.
type MemoryBroker struct {
	most, mostBytes int // of one partition's history; negative: nothing is kept
	partitions      [topicStripes]memoryPartition
}

// MemoryBrokerOptions say how much history a [MemoryBroker] keeps. Zero is the
// default named beside each field; a negative value keeps nothing.
type MemoryBrokerOptions struct {
	History      int // records of each of the 64 partitions: 1,024
	HistoryBytes int // likewise, of their data: 512 KB
}

// memoryPartition orders the topics that hash to it: deliver is called under its lock.
type memoryPartition struct {
	mu        sync.Mutex
	followers map[string][]*memoryFeed
	epoch     uint64
	offset    uint64                  // of the newest record
	history   []Record                // the newest, oldest first
	bytes     int                     // of their data
	known     map[recordName]struct{} // of those in the history that have an ID
}

// recordName is what a record is known by when it is published again.
type recordName struct{ topic, id string }

type memoryFeed struct {
	broker  *MemoryBroker
	deliver func(Record)
}

// NewMemoryBroker returns an empty broker.
func NewMemoryBroker(o MemoryBrokerOptions) *MemoryBroker {
	b := &MemoryBroker{most: o.History, mostBytes: o.HistoryBytes}
	if b.most == 0 {
		b.most = 1024
	}
	if b.mostBytes == 0 {
		b.mostBytes = 512 << 10
	}
	epoch := rand.Uint64() | 1
	for i := range b.partitions {
		b.partitions[i] = memoryPartition{followers: make(map[string][]*memoryFeed), epoch: epoch, known: make(map[recordName]struct{})}
	}
	return b
}

func (b *MemoryBroker) partition(topic string) (uint32, *memoryPartition) {
	h := uint64(14695981039346656037) // FNV-1a: the same in every process, unlike a maphash
	for _, c := range []byte(topic) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	i := uint32(h % topicStripes)
	return i, &b.partitions[i]
}

// Publish calls the deliver of every feed that follows the topic.
func (b *MemoryBroker) Publish(ctx context.Context, rec Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	i, p := b.partition(rec.Topic)
	p.mu.Lock()
	defer p.mu.Unlock()
	if rec.ID != "" && p.knows(rec) {
		return nil
	}
	if b.most > 0 && b.mostBytes > 0 {
		p.offset++
		rec.Position = Position{Partition: i, Epoch: p.epoch, Offset: p.offset}
		p.keep(rec, b.most, b.mostBytes)
	}
	for _, f := range p.followers[rec.Topic] {
		f.deliver(rec)
	}
	return nil
}

// knows reports whether the history has a record with that ID in its topic. mu is held.
func (p *memoryPartition) knows(rec Record) bool {
	_, ok := p.known[recordName{rec.Topic, rec.ID}]
	return ok
}

// keep adds a record to the history and lets the oldest go. mu is held.
func (p *memoryPartition) keep(rec Record, most, mostBytes int) {
	p.history = append(p.history, rec)
	p.bytes += len(rec.Data)
	if rec.ID != "" {
		p.known[recordName{rec.Topic, rec.ID}] = struct{}{}
	}
	gone := 0
	for gone < len(p.history) && (len(p.history)-gone > most || p.bytes > mostBytes) {
		old := &p.history[gone]
		p.bytes -= len(old.Data)
		if old.ID != "" {
			delete(p.known, recordName{old.Topic, old.ID})
		}
		gone++
	}
	clear(p.history[:gone])
	p.history = p.history[gone:] // append moves what is left when the array is used up
}

// Since returns the records behind a position.
func (b *MemoryBroker) Since(ctx context.Context, from Position) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if from.Partition >= topicStripes || from.IsZero() {
		return nil, ErrGap
	}
	p := &b.partitions[from.Partition]
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := p.offset - uint64(len(p.history)) // everything behind it is kept
	if from.Epoch != p.epoch || from.Offset < oldest || from.Offset > p.offset {
		return nil, ErrGap
	}
	return slices.Clone(p.history[from.Offset-oldest:]), nil
}

// Open adds a receiver.
func (b *MemoryBroker) Open(_ context.Context, deliver func(Record)) (Feed, error) {
	return &memoryFeed{broker: b, deliver: deliver}, nil
}

func (f *memoryFeed) Follow(_ context.Context, topic string) (Position, error) {
	i, p := f.broker.partition(topic)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.followers[topic], f) {
		p.followers[topic] = append(p.followers[topic], f)
	}
	if f.broker.most < 0 || f.broker.mostBytes < 0 {
		return Position{}, nil
	}
	return Position{Partition: i, Epoch: p.epoch, Offset: p.offset}, nil
}

func (f *memoryFeed) Unfollow(_ context.Context, topic string) error {
	_, p := f.broker.partition(topic)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(topic, f)
	return nil
}

func (f *memoryFeed) Close(context.Context) error {
	for i := range f.broker.partitions {
		p := &f.broker.partitions[i]
		p.mu.Lock()
		for topic := range p.followers {
			p.drop(topic, f)
		}
		p.mu.Unlock()
	}
	return nil
}

// drop removes a feed from a topic's followers. mu is held.
func (p *memoryPartition) drop(topic string, f *memoryFeed) {
	rest := slices.DeleteFunc(p.followers[topic], func(g *memoryFeed) bool { return g == f })
	if len(rest) == 0 {
		delete(p.followers, topic)
		return
	}
	p.followers[topic] = rest
}
