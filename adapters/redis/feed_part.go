package redis

import (
	"errors"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// feedPart is a partition as one feed follows it. While it is live, the line hears all records that are
// published of its topics, in their order. Only the line's reader delivers, and makes it live: first it
// hears a number, and with it a place, which divides the records that it hears from those that it has to
// read in the history.
type feedPart struct {
	*part
	feed *feed
	own  string // the channel of what it asks to hear

	mu      sync.Mutex // held while deliver is called, and never while Redis is
	closed  bool
	used    bool // it had a topic
	joining bool // a goroutine has it on a line, or will soon
	topics  map[string]*following
	line    *line            // nil: cut off
	live    bool             // see above
	ready   chan struct{}    // closed while it is live
	last    gateway.Position // up to which all was delivered
	unheard int              // pulses since something that it asked to hear was heard
	heard   map[uint64]chan gateway.Position
}

// following is a topic that is followed, or is about to be.
type following struct {
	topic      string
	subscribed bool             // at the line: what is heard from now on makes it begin
	began      bool             // records behind from are delivered
	from       gateway.Position // see began
}

// names are the topics. mu is held.
func (p *feedPart) names() []string {
	names := make([]string, 0, len(p.topics))
	for name := range p.topics {
		names = append(names, name)
	}
	return names
}

func (p *feedPart) wants(topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.topics[topic] != nil
}

// confirm notes that a line is subscribed to topics.
func (p *feedPart) confirm(l *line, topics []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, topic := range topics {
		if t := p.topics[topic]; t != nil && p.line == l {
			t.subscribed = true
		}
	}
}

// receive takes a record from a line. What comes before the partition is live is read in the history.
func (p *feedPart) receive(l *line, topic, text string) {
	at, text, ok := cutPosition(p.n, text)
	rec, err := decodeRecord(text, at)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != l || !p.live || p.closed {
		return
	}
	if !ok {
		return // it is none of ours
	}
	if at.Epoch > p.last.Epoch {
		p.lost(gateway.Position{Partition: at.Partition, Epoch: at.Epoch, Offset: at.Offset - 1})
	}
	if at.Epoch < p.last.Epoch || at.Offset <= p.last.Offset {
		return
	}
	p.last = at
	p.note(at)
	if err != nil { // a newer version wrote it
		rec = gateway.Record{Topic: topic, Gap: true, Position: at}
	}
	p.give(rec)
}

// give delivers a record if its topic is followed. mu is held.
func (p *feedPart) give(rec gateway.Record) {
	t := p.topics[rec.Topic]
	if t != nil && t.began && (t.from.Epoch != rec.Position.Epoch || t.from.Offset < rec.Position.Offset) {
		p.feed.deliver(rec)
	}
}

// lost tells all topics that records may have been lost before a place. mu is held.
func (p *feedPart) lost(at gateway.Position) {
	for _, t := range p.topics {
		if t.began {
			t.from = at
			p.feed.deliver(gateway.Record{Topic: t.topic, Gap: true, Position: at})
		}
	}
	p.last = at
}

// reach takes a number from a line, and where the partition was: all that was published before has been
// heard, or is read now. It is the line's reader that calls it.
func (p *feedPart) reach(l *line, number uint64, at gateway.Position) error {
	p.mu.Lock()
	ours, behind, began := p.line == l && !p.closed, !p.live, false
	last := p.last
	for _, t := range p.topics {
		began = began || t.began
	}
	p.mu.Unlock()
	if !ours {
		return nil
	}
	if last.Epoch == at.Epoch && at.Offset < last.Offset {
		return errLost
	}
	var missed []gateway.Record
	gap := began && last.Epoch != at.Epoch
	if began && behind && !gap && last.Offset < at.Offset {
		var err error
		missed, err = p.feed.since(l.feed.crew.ctx, last)
		if gap = errors.Is(err, gateway.ErrGap); err != nil && !gap {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != l || p.closed {
		return nil
	}
	for _, rec := range missed {
		if gap = gap || rec.Topic == "" && rec.Type == ""; gap || rec.Position.Offset > at.Offset {
			break // the rest is heard
		}
		p.give(rec)
	}
	if gap {
		p.lost(at)
	}
	p.last, p.unheard = at, 0
	p.note(at)
	for _, t := range p.topics {
		if t.subscribed && !t.began {
			t.began, t.from = true, at
		}
	}
	if !p.live {
		p.live = true
		close(p.ready)
	}
	if asked := p.heard[number]; asked != nil {
		asked <- at
		delete(p.heard, number)
	}
	return nil
}

// errLost says that a server lacks what was seen: a failover has lost it. The next look begins an epoch.
var errLost = errors.New("redis: the newest records are lost")

// cut takes the partition off a line that has ended.
func (p *feedPart) cut(l *line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != l {
		return
	}
	p.line = nil
	if p.live {
		p.live, p.ready = false, make(chan struct{})
	}
	for _, t := range p.topics {
		t.subscribed = false
	}
}
