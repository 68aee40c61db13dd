package redis

import (
	"context"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/presence"
)

// Die ends a taker as a kill of its process does: nobody is told.
func (q *Queue) Die() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.stop()
	q.running.Wait()
}

// Held is how many partitions it has.
func (q *Queue) Held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.held)
}

// Items is the stream of a key.
func (q *Queue) Items(key string) string { return q.of(q.partitionOf(key), "items") }

// Partition is where a key belongs.
func (q *Queue) Partition(key string) int { return q.partitionOf(key) }

// Break changes a line of a Cache's scripts, so that a test can be seen to fail.
func (c *Cache) Break(old, broken string) {
	found := false
	for _, s := range []*script{&c.find, &c.keep, &c.write} {
		if source := strings.ReplaceAll(s.source, old, broken); source != s.source {
			*s, found = script{source, goredis.NewScript(source).Hash()}, true
		}
	}
	if !found {
		panic("no script has " + old)
	}
}

// Probe sets how often a page asks a Redis that did not answer.
func (c *Cache) Probe(every time.Duration) { c.probe = every }

// Channel is where the records of a topic are told.
func (b *Broker) Channel(topic string) string { return b.of(topic).topic(topic) }

// PublishNewer publishes to a topic what a newer version would.
func (b *Broker) PublishNewer(ctx context.Context, topic string) error {
	p := b.of(topic)
	_, err := b.try(ctx, p, brokerPublishScript, b.origin+"newer"+strconv.FormatUint(b.calls.Add(1), 36), "\x09\x09", p.topic(topic), b.records)
	return err
}

// PutNewer puts an entry as a newer version would.
func (p *Presence) PutNewer(ctx context.Context, e presence.Entry) error {
	text := encodeEntry(e)
	text[0] = '9'
	_, err := p.do(ctx, presencePutScript.call(p.keys, entryField(e), text))
	return err
}

// Key is where a session is kept.
func (s *Sessions) Key(id string) string { return s.session(id)[0] }
