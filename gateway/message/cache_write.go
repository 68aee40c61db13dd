package message

import (
	"context"
	"slices"
	"time"
)

// cacheWrite is a write that may change messages with these ids: it is under way, or done, or
// nobody knows whether it will be.
type cacheWrite struct {
	ids    span
	amid   bool                           // others of the channel ran at the time: in which order the store did them is unknown
	change func(tail []Message) []Message // what it did to the newest messages; nil: it is not known to be done
	failed bool
}

// write does one write of a channel, which touches these ids. do returns how it changes the newest
// messages, or nil if what it did is unknown.
func (c *Cache) write(ctx context.Context, channel string, ids []ID, do func() (func([]Message) []Message, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(ids) == 0 {
		_, err := do()
		return err
	}
	w := &cacheWrite{ids: span{slices.Min(ids), slices.Max(ids)}}
	ch := c.beginWrite(channel, w)
	var change func([]Message) []Message
	defer func() { c.endWrite(ch, w, change) }()
	var err error
	change, err = do()
	return err
}

// beginWrite notes that the write is under way. The newest messages stay as they are until it ends.
func (c *Cache) beginWrite(channel string, w *cacheWrite) *cachedChannel {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.channel(channel)
	for other := range ch.writes {
		other.amid, w.amid = true, true
	}
	c.touch(ch, w)
	if t := ch.tail; t != nil && t.ids.meets(w.ids) {
		if t.writer != nil || w.amid {
			c.drop(t)
		} else {
			t.writer = w
		}
	}
	ch.writes[w] = struct{}{}
	return ch
}

// endWrite changes the newest messages as the store was.
func (c *Cache) endWrite(ch *cachedChannel, w *cacheWrite, change func([]Message) []Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.change, w.failed = change, change == nil
	if t := ch.tail; t != nil && t.writer == w {
		if w.failed {
			c.drop(t)
		} else {
			t.writer = nil
			c.stats.Bytes -= t.bytes
			t.apply(w, c.opts.Tail)
			c.stats.Bytes += t.bytes
			c.evict()
		}
	}
	if !w.failed {
		c.forgetWrite(ch, w)
		return
	}
	time.AfterFunc(c.opts.Timeout, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.forgetWrite(ch, w)
	})
}

func (c *Cache) forgetWrite(ch *cachedChannel, w *cacheWrite) {
	delete(ch.writes, w)
	c.tidy(ch)
}

// touch drops older pages that a write may change, and notes it for reads under way.
func (c *Cache) touch(ch *cachedChannel, w *cacheWrite) {
	for _, p := range ch.pages {
		if p.ids.meets(w.ids) {
			c.drop(p)
		}
	}
	for _, r := range ch.reads {
		r.writes = append(r.writes, w)
	}
}

// apply has the newest messages of a channel be as after a write, at most so many.
func (p *cachedPage) apply(w *cacheWrite, most int) {
	messages := w.change(p.messages)
	first, _ := find(messages, p.ids.low) // of what is below we have not all
	messages = messages[first:]
	if over := len(messages) - most; over > 0 {
		messages = messages[over:]
		p.ids.low = messages[0].ID
	}
	p.messages, p.bytes = messages, sizeOf(messages)
}

// mend makes a page of what was read while there were writes, as after those that are done,
// whichever of them it had met: to apply one twice changes nothing. It reports false if it
// cannot be known what the page should be.
func (p *cachedPage) mend(writes []*cacheWrite, newest bool, most int) bool {
	for _, w := range writes {
		switch {
		case !p.ids.meets(w.ids):
		case !newest || w.amid || w.failed:
			return false
		case w.change == nil:
			p.writer = w // which changes it at its end, and is the last
		default:
			p.apply(w, most)
		}
	}
	return true
}

// The following return messages, in the order of ids, after a write. Readers may hold the slice
// that was there: what is in it is not changed, only appended to.

func withAppended(all []Message, channel string, batch []Message, not BatchError) []Message {
	for i, m := range batch {
		at, there := find(all, m.ID)
		if there || not[i] != nil {
			continue
		}
		m.Channel = channel
		m = asStored(m)
		if at == len(all) {
			all = append(all, m)
		} else {
			all = slices.Insert(slices.Clone(all), at, m)
		}
	}
	return all
}

func withEdited(all []Message, m Message) []Message {
	i, there := find(all, m.ID)
	if !there {
		return all
	}
	all = slices.Clone(all)
	m = asStored(m)
	all[i].Content, all[i].Data, all[i].Edited = m.Content, m.Data, m.Edited
	return all
}

func without(all []Message, ids []ID) []Message {
	return slices.DeleteFunc(slices.Clone(all), func(m Message) bool { return slices.Contains(ids, m.ID) })
}

// asStored is the message as a store gives it back.
func asStored(m Message) Message {
	if len(m.Data) == 0 {
		m.Data = nil
	}
	if !m.Edited.IsZero() {
		m.Edited = m.Edited.UTC().Truncate(time.Millisecond)
	}
	return m
}
