package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// feed is one node's place at a broker. It has one connection, a line, to each server that has partitions
// of which it follows topics: to one, or of a cluster to each master.
type feed struct {
	// Static after newFeed.
	*history
	deliver func(gateway.Record)
	id      string // differs from that of every other
	crew    *crew
	parts   []*feedPart
	kick    chan struct{} // has tend look at once; one note
	left    func() bool   // has it not end with its broker

	numbers atomic.Uint64 // of what it asks to hear

	mu    sync.Mutex // guards lines; held while nothing else is locked
	lines map[*goredis.Client]*line
}

func newFeed(h *history, deliver func(gateway.Record)) *feed {
	f := &feed{history: h, deliver: deliver, id: rand.Text(), crew: newCrew(), kick: make(chan struct{}, 1), lines: make(map[*goredis.Client]*line)}
	for _, p := range h.partitions {
		f.parts = append(f.parts, &feedPart{
			part: p, feed: f, own: p.prefix + "feed:" + f.id,
			topics: make(map[string]*following), heard: make(map[uint64]chan gateway.Position), ready: make(chan struct{}),
		})
	}
	f.crew.start(f.tend)
	f.left = context.AfterFunc(h.crew.ctx, f.end) // should nobody close it
	return f
}

// pulse is how often a feed asks to hear, for each partition, that it is heard: a line that is silent after
// three times is cut.
const pulse, silence = 3 * time.Second, 3

// tend is the goroutine that has each partition with a topic on a line that hears what its server says.
func (f *feed) tend() {
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	for {
		tick := false
		select {
		case <-ticker.C:
			tick = true
		case <-f.kick:
		case <-f.crew.ctx.Done():
			return
		}
		for _, p := range f.parts {
			f.tendPart(p, tick)
		}
	}
}

func (f *feed) tendPart(p *feedPart, tick bool) {
	p.mu.Lock()
	l, live, idle := p.line, p.live, !p.used || p.joining
	if tick && l != nil {
		p.unheard++
	}
	silent := p.unheard > silence
	if l == nil && !idle {
		p.joining = true
	}
	p.mu.Unlock()
	switch {
	case l == nil && !idle:
		f.crew.start(func() { f.join(p) })
	case l != nil && silent:
		f.crew.start(func() {
			l.end(errSilent)
			p.cut(l)
		})
	case l != nil && live && tick:
		f.crew.start(func() {
			if _, err := f.look(f.crew.ctx, p.part, p.own, f.numbers.Add(1)); err != nil {
				l.end(err)
			}
		})
	}
}

// errSilent says that nothing is heard from a server that answers: it is not the one that has the partition any more.
var errSilent = errors.New("redis: a line is silent")

// join has a partition on a line. What follows, the line's reader does when it hears the number.
func (f *feed) join(p *feedPart) {
	err := f.tryJoin(p)
	p.mu.Lock()
	p.joining = false
	p.mu.Unlock()
	if err == nil {
		return
	}
	f.say(err)
	if cluster, ok := f.client.(*goredis.ClusterClient); ok {
		cluster.ReloadState(f.crew.ctx)
	}
	rest(f.crew.ctx, pause)
	note(f.kick)
}

func (f *feed) tryJoin(p *feedPart) error {
	ctx, cancel := context.WithTimeout(f.crew.ctx, f.within)
	defer cancel()
	l, err := f.lineTo(ctx, p)
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.line, p.unheard = l, 0
	topics := p.names()
	p.mu.Unlock()
	err = l.subscribe(ctx, p, true, topics...)
	if err == nil {
		_, err = f.look(ctx, p.part, p.own, f.numbers.Add(1))
	}
	if err != nil {
		l.end(err)
		p.cut(l) // it may have ended before the partition was on it
	}
	return err
}

// lineTo returns the line to the server that has a partition.
func (f *feed) lineTo(ctx context.Context, p *feedPart) (*line, error) {
	var server *goredis.Client // nil: there is one
	from := goredis.UniversalClient(f.client)
	if cluster, ok := f.client.(*goredis.ClusterClient); ok {
		var err error
		if server, err = cluster.MasterForKey(ctx, p.head); err != nil {
			return nil, err
		}
		from = server
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.lines[server]; l != nil {
		return l, nil
	}
	if f.crew.ctx.Err() != nil {
		return nil, ErrClosed // end has ended all lines by now
	}
	l := newLine(f, server, from.SSubscribe(f.crew.ctx))
	if !f.crew.start(l.read) {
		return nil, ErrClosed
	}
	f.lines[server] = l
	return l, nil
}

// say tells once that Redis is away, or a server of a cluster; and once, with nil, that all is well again.
func (f *feed) say(err error) {
	switch {
	case f.crew.ctx.Err() != nil:
	case err != nil:
		if f.away.add(f, err) {
			f.logger.Warn("redis: a feed is cut off: events come later", "broker", f.name, "error", err)
		}
	case f.away.has(f) && f.whole() && f.away.remove(f):
		f.logger.Info("redis: the feed is connected again", "broker", f.name)
	}
}

// whole reports whether all partitions are live that are to be.
func (f *feed) whole() bool {
	for _, p := range f.parts {
		p.mu.Lock()
		lacks := p.used && !p.live
		p.mu.Unlock()
		if lacks {
			return false
		}
	}
	return true
}

// Close is of gateway.Feed.
func (f *feed) Close(ctx context.Context) error {
	f.left()
	f.end()
	return wrap("close a feed", f.crew.close(ctx))
}

// end has nothing delivered any more, and all goroutines end.
func (f *feed) end() {
	for _, p := range f.parts {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
	}
	f.crew.stop()
	f.away.remove(f)
	f.mu.Lock()
	lines := slices.Collect(maps.Values(f.lines))
	f.mu.Unlock()
	for _, l := range lines {
		f.crew.start(func() { l.end(ErrClosed) })
	}
}
