package gateway

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
)

// MemoryBroker is a [Broker] for the gateways of one process. It keeps nothing.
type MemoryBroker struct {
	seed    maphash.Seed
	stripes [topicStripes]memoryStripe
}

// memoryStripe orders the topics that hash to it: deliver is called under its lock.
type memoryStripe struct {
	mu        sync.Mutex
	followers map[string][]*memoryFeed
}

type memoryFeed struct {
	broker  *MemoryBroker
	deliver func(Record)
}

// NewMemoryBroker returns an empty broker.
func NewMemoryBroker() *MemoryBroker {
	b := &MemoryBroker{seed: maphash.MakeSeed()}
	for i := range b.stripes {
		b.stripes[i].followers = make(map[string][]*memoryFeed)
	}
	return b
}

func (b *MemoryBroker) stripe(topic string) *memoryStripe {
	return &b.stripes[maphash.String(b.seed, topic)%topicStripes]
}

// Publish calls the deliver of every feed that follows the topic.
func (b *MemoryBroker) Publish(ctx context.Context, rec Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := b.stripe(rec.Topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.followers[rec.Topic] {
		f.deliver(rec)
	}
	return nil
}

// Open adds a receiver.
func (b *MemoryBroker) Open(_ context.Context, deliver func(Record)) (Feed, error) {
	return &memoryFeed{broker: b, deliver: deliver}, nil
}

func (f *memoryFeed) Follow(_ context.Context, topic string) error {
	s := f.broker.stripe(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.followers[topic], f) {
		s.followers[topic] = append(s.followers[topic], f)
	}
	return nil
}

func (f *memoryFeed) Unfollow(_ context.Context, topic string) error {
	s := f.broker.stripe(topic)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(topic, f)
	return nil
}

func (f *memoryFeed) Close(context.Context) error {
	for i := range f.broker.stripes {
		s := &f.broker.stripes[i]
		s.mu.Lock()
		for topic := range s.followers {
			s.drop(topic, f)
		}
		s.mu.Unlock()
	}
	return nil
}

// drop removes a feed from a topic's followers. The stripe's mu is held.
func (s *memoryStripe) drop(topic string, f *memoryFeed) {
	rest := slices.DeleteFunc(s.followers[topic], func(g *memoryFeed) bool { return g == f })
	if len(rest) == 0 {
		delete(s.followers, topic)
		return
	}
	s.followers[topic] = rest
}
