package message

import (
	"context"
	"slices"
	"time"
)

// cacheWrite is a write that may change messages with these ids: it is under way, or nobody knows
// whether it will be done.
type cacheWrite struct{ ids span }

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
	w := &cacheWrite{span{slices.Min(ids), slices.Max(ids)}}
	ch := c.beginWrite(channel, w)
	var change func([]Message) []Message
	defer func() { c.endWrite(ch, w, change) }()
	var err error
	change, err = do()
	return err
}

// beginWrite takes out of use what the write may change.
func (c *Cache) beginWrite(channel string, w *cacheWrite) *cachedChannel {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := c.channel(channel)
	c.touch(ch, w.ids)
	if t := ch.tail; t != nil && t.ids.meets(w.ids) {
		if t.writer != nil { // in which order the store does the two is unknown
			c.drop(t)
		} else {
			t.writer = w
		}
	}
	ch.writes[w] = struct{}{}
	return ch
}

// endWrite changes the newest messages as the store was, and puts them in use again.
func (c *Cache) endWrite(ch *cachedChannel, w *cacheWrite, change func([]Message) []Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := ch.tail; t != nil && t.writer == w {
		t.writer = nil
		if change == nil {
			c.drop(t)
		} else {
			messages := change(t.messages)
			first, _ := find(messages, t.ids.low) // of what is below we have not all
			c.resize(t, messages[first:])
		}
	}
	if change != nil {
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

// touch drops older pages, and notes for reads under way, that a write may change these ids.
func (c *Cache) touch(ch *cachedChannel, ids span) {
	for _, p := range ch.pages {
		if p.ids.meets(ids) {
			c.drop(p)
		}
	}
	for _, r := range ch.reads {
		r.touched = append(r.touched, ids)
	}
}

// resize gives the newest messages of a channel another content, cut to CacheOptions.Tail.
func (c *Cache) resize(t *cachedPage, messages []Message) {
	if over := len(messages) - c.opts.Tail; over > 0 {
		messages = messages[over:]
		t.ids.low = messages[0].ID
	}
	c.stats.Bytes -= t.bytes
	t.messages, t.bytes = messages, sizeOf(messages)
	c.stats.Bytes += t.bytes
	c.evict()
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
