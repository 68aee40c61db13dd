package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// line is a feed's connection to one server, for what it is told. It lives as long as that connection: the
// client would make another by itself and not say what was missed meanwhile, but is told of by what the
// server confirms then a second time.
type line struct {
	// Static after newLine.
	feed   *feed
	server *goredis.Client // by which the feed knows it
	heard  *goredis.PubSub
	dead   chan struct{} // closed when it has ended
	once   sync.Once

	writing sync.Mutex // held while something is written, so that the server does it in the order of has
	has     map[string]bool
	pings   uint64

	mu       sync.Mutex          // never held while Redis is called
	joining  map[string]int      // channels, by how often they are to be confirmed
	leaving  map[string]int      // likewise
	awaiting map[string]awaiting // by the ping whose answer it is behind
}

// awaiting is topics that the server is asked to tell of.
type awaiting struct {
	part   *feedPart
	topics []string
	done   chan struct{}
}

func newLine(f *feed, server *goredis.Client, heard *goredis.PubSub) *line {
	return &line{
		feed: f, server: server, heard: heard, dead: make(chan struct{}), has: make(map[string]bool),
		joining: make(map[string]int), leaving: make(map[string]int), awaiting: make(map[string]awaiting),
	}
}

// end cuts the line: its partitions join another.
func (l *line) end(why error) {
	l.once.Do(func() {
		l.feed.mu.Lock()
		if l.feed.lines[l.server] == l {
			delete(l.feed.lines, l.server)
		}
		l.feed.mu.Unlock()
		for _, p := range l.feed.parts {
			p.cut(l)
		}
		close(l.dead)
		l.feed.say(why)
		l.heard.Close()
		note(l.feed.kick)
	})
}

// read is the goroutine that takes what the server says.
func (l *line) read() {
	for {
		m, err := l.heard.Receive(l.feed.crew.ctx)
		if err == nil {
			err = l.take(m)
		}
		if err != nil {
			l.end(err)
			return
		}
	}
}

// errAnother says that the client has connected again by itself, or that the server does not have a partition any more.
var errAnother = errors.New("redis: the line has been changed")

func (l *line) take(m any) error {
	switch m := m.(type) {
	case *goredis.Subscription:
		if !l.expected(m) {
			return errAnother
		}
	case *goredis.Pong:
		l.mu.Lock()
		a, ok := l.awaiting[m.Payload]
		delete(l.awaiting, m.Payload)
		l.mu.Unlock()
		if ok {
			a.part.confirm(l, a.topics)
			close(a.done)
		}
	case *goredis.Message:
		return l.takeMessage(m.Channel, m.Payload)
	}
	return nil
}

func (l *line) expected(s *goredis.Subscription) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.joining
	if s.Kind == "sunsubscribe" {
		of = l.leaving
	}
	if of[s.Channel]--; of[s.Channel] > 0 {
		return true
	}
	was := of[s.Channel]
	delete(of, s.Channel)
	return was == 0
}

func (l *line) takeMessage(channel, text string) error {
	number, what, _ := strings.Cut(strings.TrimPrefix(channel, brokerPrefix+l.feed.name+"/"), "}:")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n >= len(l.feed.parts) {
		return nil // it is not ours
	}
	p := l.feed.parts[n]
	if channel != p.own {
		p.receive(l, strings.TrimPrefix(what, "topic:"), text)
		return nil
	}
	asked, rest, one := cutNumber(text)
	at, _, two := cutPosition(n, rest)
	if !one || !two {
		return nil
	}
	if err := p.reach(l, asked, at); err != nil {
		return err
	}
	l.feed.say(nil)
	return nil
}

// channelsAtOnce is how many are asked for with one command.
const channelsAtOnce = 512

// subscribe has the server tell of topics that are wanted, and, if asked, of what the feed asks to hear. It
// returns when the server has.
func (l *line) subscribe(ctx context.Context, p *feedPart, own bool, topics ...string) error {
	a := awaiting{p, topics, make(chan struct{})}
	if err := l.ask(ctx, a, own); err != nil {
		return err
	}
	select {
	case <-a.done:
		return nil
	case <-l.dead:
		return errCut
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *line) ask(ctx context.Context, a awaiting, own bool) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	var channels []string
	if own && !l.has[a.part.own] {
		channels = append(channels, a.part.own)
	}
	for _, topic := range a.topics {
		if channel := a.part.topic(topic); !l.has[channel] && a.part.wants(topic) {
			channels = append(channels, channel)
		}
	}
	for len(channels) > 0 {
		some := channels[:min(len(channels), channelsAtOnce)]
		channels = channels[len(some):]
		l.count(l.joining, some)
		if err := l.heard.SSubscribe(ctx, some...); err != nil {
			return err
		}
		for _, channel := range some {
			l.has[channel] = true
		}
	}
	l.pings++
	ping := strconv.FormatUint(l.pings, 36)
	l.mu.Lock()
	l.awaiting[ping] = a
	l.mu.Unlock()
	return l.heard.Ping(ctx, ping)
}

// unsubscribe has the server not tell of a topic that is not wanted any more.
func (l *line) unsubscribe(ctx context.Context, p *feedPart, topic string) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	channel := p.topic(topic)
	if !l.has[channel] || p.wants(topic) {
		return nil
	}
	delete(l.has, channel)
	l.count(l.leaving, []string{channel})
	return l.heard.SUnsubscribe(ctx, channel)
}

func (l *line) count(of map[string]int, channels []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, channel := range channels {
		of[channel]++
	}
}
