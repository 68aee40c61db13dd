package message

import (
	"container/list"
	"time"
	"unsafe"
)

// cachedChannel is what a Cache has of a channel. It is in Cache.channels as long as there is
// something in it.
type cachedChannel struct {
	name   string
	tail   *cachedPage           // the newest messages, if they are known
	pages  map[Query]*cachedPage // others, as they were asked for
	reads  map[Query]*sharedRead // under way, with somebody who waits
	writes map[*cacheWrite]struct{}
}

// cachedPage is some messages of a channel: all of those that have the ids.
type cachedPage struct {
	channel  *cachedChannel
	query    Query
	ids      span
	messages []Message
	read     time.Time   // when the store was asked
	writer   *cacheWrite // of the tail: it is under way, and will change it
	bytes    int
	place    *list.Element
}

// span is a range of ids, both ends included.
type span struct{ low, high ID }

const highestID = ^ID(0)

var everything = span{0, highestID}

func (s span) meets(t span) bool { return s.low <= t.high && t.low <= s.high }

// Span returns the ids of which a page that answers the query tells everything, both ends included:
// whatever is done to a message with another id would not change it. It is for whoever keeps pages of
// a store.
func (q Query) Span(page []Message) (low, high ID) {
	s := q.span(page)
	return s.low, s.high
}

func (q Query) span(page []Message) span {
	s := everything
	n := len(page)
	full := n == q.Limit
	switch {
	case q.After != 0:
		s.low = q.After
		if full {
			s.high = page[n-1].ID
		}
	case q.Around != 0:
		before, there := find(page, q.Around)
		after := q.Limit / 2
		if there {
			before++
			after = (q.Limit - 1) / 2
		}
		if full && before == q.Limit-after { // neither side had to make up for the other
			s = span{min(page[0].ID, q.Around), max(page[n-1].ID, q.Around)}
		}
	default:
		if q.Before != 0 {
			s.high = q.Before
		}
		if full {
			s.low = page[0].ID
		}
	}
	return s
}

// answer returns the part of the page that another query asks for, if it has all of it. The page
// is one of the newest messages.
func (p *cachedPage) answer(q Query) ([]Message, bool) {
	page := q.Of(p.messages)
	switch {
	case p.ids.low == 0:
		return page, true
	case q.After != 0:
		return page, q.After >= p.ids.low-1
	case q.Around != 0: // with one more before it, nothing below can have been due
		return page, len(page) == q.Limit && page[0].ID != p.messages[0].ID
	}
	return page, len(page) == q.Limit
}

// sizeOf is what messages take in memory, roughly.
func sizeOf(messages []Message) int {
	n := int(unsafe.Sizeof(cachedPage{})) + 200 // its places in the map and the list
	for _, m := range messages {
		n += int(unsafe.Sizeof(m)) + len(m.Author) + len(m.Content) + len(m.Data) + len(m.Nonce) + len(m.Channel)
	}
	return n
}

// mostPages is how many pages of one channel are kept: each write of it looks at all of them.
const mostPages = 256

// The methods below are called with Cache.mu held.

func (c *Cache) channel(name string) *cachedChannel {
	ch := c.channels[name]
	if ch == nil {
		ch = &cachedChannel{name: name, pages: make(map[Query]*cachedPage), reads: make(map[Query]*sharedRead), writes: make(map[*cacheWrite]struct{})}
		c.channels[name] = ch
	}
	return ch
}

// tidy forgets a channel of which there is nothing.
func (c *Cache) tidy(ch *cachedChannel) {
	if ch.tail == nil && len(ch.pages) == 0 && len(ch.reads) == 0 && len(ch.writes) == 0 && c.channels[ch.name] == ch {
		delete(c.channels, ch.name)
	}
}

// lookup returns the answer to a query from what is kept.
func (c *Cache) lookup(ch *cachedChannel, q Query) ([]Message, bool) {
	if t := ch.tail; t != nil && c.use(t) {
		if page, all := t.answer(q); all {
			return page, true
		}
	}
	if p := ch.pages[q]; p != nil && c.use(p) {
		return p.messages, true
	}
	return nil, false
}

// use notes that a page is looked at, or forgets it if it is too old.
func (c *Cache) use(p *cachedPage) bool {
	if c.opts.MaxAge >= 0 && time.Since(p.read) >= c.opts.MaxAge {
		c.drop(p)
		return false
	}
	c.recent.MoveToFront(p.place)
	return true
}

// isNewest reports whether a query's page is kept as the newest messages.
func (c *Cache) isNewest(q Query) bool { return q == Query{Limit: q.Limit} && q.Limit <= c.opts.Tail }

// keep keeps a page.
func (c *Cache) keep(p *cachedPage) {
	ch := p.channel
	if c.isNewest(p.query) {
		c.drop(ch.tail)
		ch.tail = p
	} else {
		c.drop(ch.pages[p.query])
		for _, other := range ch.pages {
			if len(ch.pages) < mostPages {
				break
			}
			c.drop(other) // any
		}
		ch.pages[p.query] = p
	}
	p.place = c.recent.PushFront(p)
	c.stats.Bytes += p.bytes
	c.evict()
}

// drop forgets a page; nil is none.
func (c *Cache) drop(p *cachedPage) {
	if p == nil {
		return
	}
	ch := p.channel
	if ch.tail == p {
		ch.tail = nil
	} else {
		delete(ch.pages, p.query)
	}
	c.recent.Remove(p.place)
	c.stats.Bytes -= p.bytes
}

// evict makes room.
func (c *Cache) evict() {
	for c.stats.Bytes > c.opts.MaxBytes && c.recent.Len() > 0 {
		p := c.recent.Back().Value.(*cachedPage)
		c.drop(p)
		c.tidy(p.channel)
	}
}
