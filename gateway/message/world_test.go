package message

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// world is a store that lasts, the pipelines that use it one after another, and what has to be
// true of them whatever goes wrong.
type world struct {
	t      *testing.T
	store  *MemoryStore
	storm  float64 // how much of what is asked of the store goes wrong
	mortal float64 // how often a process dies in the middle of something
	partly string  // "part", if a call that fails may have stored a part

	mu        sync.Mutex
	rng       *rand.Rand
	broken    bool
	applied   map[string][]ID   // of each channel, in the order in which they came to the store
	named     map[sender]ID     // what was stored under a nonce
	uncertain map[ID]bool       // stored, and the pipeline was told otherwise, or died
	delivered map[ID]bool       // by any life
	acked     map[sender]ID     // what a sender was told
	refused   map[sender]bool   // whose last word is that it is not stored
	unlucky   map[sender]bool   // that the store has refused, whoever heard of it
	left      map[sender]bool   // whose sender did not wait for every answer
	counts    map[string]int    // of what happened, to see that it did
	content   map[sender]string // what was sent
	lives     []*life           // the last one is the present one
}

// sender is one nonce of one author in one channel.
type sender struct{ channel, author, nonce string }

func senderOf(m Message) sender { return sender{m.Channel, m.Author, m.Nonce} }

func newWorld(t *testing.T, seed uint64, storm, mortal float64) *world {
	inOurTime()
	return &world{
		t: t, store: NewMemoryStore(), storm: storm, mortal: mortal, partly: "part", rng: rand.New(rand.NewPCG(seed, 1)),
		applied: make(map[string][]ID), named: make(map[sender]ID), uncertain: make(map[ID]bool), delivered: make(map[ID]bool),
		acked: make(map[sender]ID), refused: make(map[sender]bool), unlucky: make(map[sender]bool), left: make(map[sender]bool), counts: make(map[string]int), content: make(map[sender]string),
	}
}

// wrong reports what must not be. w.mu is held.
func (w *world) wrong(format string, args ...any) {
	if !w.broken { // the first is the cause of the others
		w.broken = true
		w.t.Errorf(format, args...)
	}
}

func (w *world) chance(p float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.Float64() < p
}

func (w *world) upTo(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

// nap waits for a random part of a time.
func (w *world) nap(most time.Duration) { pass(time.Duration(w.upTo(int(most)))) }

func (w *world) life() *life {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lives[len(w.lives)-1]
}

// life is a process: the store as it sees it, and where it delivers to. When it is dead, it does
// nothing any more, and what it says is not heard.
type life struct {
	w *world
	p *Pipeline

	// Guarded by w.mu.
	dead   bool
	newest map[string]ID   // that it delivered, of each channel
	busy   map[string]bool // channels that it delivers to right now
}

// born begins a life after the one before it was killed.
func (w *world) born(o Options) *life {
	l := &life{w: w, newest: make(map[string]ID), busy: make(map[string]bool)}
	skew := time.Duration(w.upTo(40)-20) * time.Second
	o.Store, o.Deliver = l, l.deliver
	o.IDs = newIDs(w.upTo(4), func() time.Time { return time.Now().Add(skew) })
	if o.OnError == nil {
		o.OnError = func(Stage, []Message, error) {}
	}
	p, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	l.p = p
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lives = append(w.lives, l)
	return l
}

func (l *life) kill() {
	w := l.w
	w.mu.Lock()
	defer w.mu.Unlock()
	l.dead = true
	for _, stored := range w.applied {
		for _, id := range stored {
			w.uncertain[id] = w.uncertain[id] || !w.delivered[id]
		}
	}
}

func (l *life) isDead() bool {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.dead
}

var errStorm, errDead = errors.New("the store fails"), errors.New("this process is dead")

// fault is what goes wrong in a call.
func (l *life) fault(of ...string) string {
	w := l.w
	w.mu.Lock()
	defer w.mu.Unlock()
	what := ""
	switch {
	case l.dead:
		return "dead"
	case w.rng.Float64() < w.mortal:
		what = []string{"die before", "die after"}[w.rng.IntN(2)]
	case w.rng.Float64() < w.storm:
		what = of[w.rng.IntN(len(of))]
	}
	w.counts[what]++
	return what
}

// Append is of Store. It applies all, a part or nothing, and says so or something else.
func (l *life) Append(ctx context.Context, channel string, batch []Message) error {
	fault := l.fault("before", "after", "refuse", "panic before", "panic after", "hang", "hang after", l.w.partly)
	l.w.nap(5 * time.Millisecond)
	switch fault {
	case "dead":
		return errDead
	case "before":
		return errStorm
	case "after":
		return errors.Join(l.apply(channel, batch, batch, true), errStorm)
	case "part":
		return errors.Join(l.apply(channel, batch, l.some(batch), true), errStorm)
	case "panic before":
		panic("before")
	case "panic after":
		l.apply(channel, batch, batch, true)
		panic("after")
	case "hang", "hang after":
		<-ctx.Done()
		if fault == "hang after" {
			l.apply(channel, batch, batch, true)
		}
		return ctx.Err()
	case "die before":
		l.kill()
		return errDead
	case "die after":
		err := l.apply(channel, batch, batch, true)
		l.kill()
		return err
	case "refuse":
		taken, failed := l.some(batch), make(BatchError)
		for i, m := range batch {
			if !slices.ContainsFunc(taken, func(t Message) bool { return t.ID == m.ID }) {
				failed[i] = errStorm
			}
		}
		if err := l.apply(channel, batch, taken, false); err != nil || len(failed) == 0 {
			return err
		}
		l.w.setAside(batch, failed)
		return fmt.Errorf("some: %w", failed)
	}
	return l.apply(channel, batch, batch, false)
}

// setAside remembers who was refused.
func (w *world) setAside(batch []Message, failed BatchError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range failed {
		w.unlucky[senderOf(batch[i])] = true
	}
}

// some is a random part of a batch, of which all is there that is stored already.
func (l *life) some(batch []Message) (part []Message) {
	for _, m := range batch {
		page, _ := l.w.store.Page(context.Background(), m.Channel, Query{Around: m.ID, Limit: 1})
		if len(page) == 1 && page[0].ID == m.ID || l.w.chance(0.7) {
			part = append(part, m)
		}
	}
	return part
}

// apply stores a part of a batch, unless this process is dead, and looks at what it is told to
// store.
func (l *life) apply(channel string, batch, part []Message, uncertain bool) error {
	w := l.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		return errDead
	}
	before := w.applied[channel]
	inBatch := make(map[ID]bool)
	for _, m := range batch {
		inBatch[m.ID] = true
	}
	for i, m := range batch {
		if m.ID == 0 || m.Channel != channel || i > 0 && m.ID <= batch[i-1].ID {
			w.wrong("in a batch of channel %s: %+v", channel, m)
		}
		for _, id := range before {
			if id >= m.ID && !inBatch[id] {
				w.wrong("channel %s: %d is given when %d is stored", channel, m.ID, id)
			}
		}
	}
	for _, m := range part {
		if slices.Contains(before, m.ID) {
			continue
		}
		w.applied[channel] = append(w.applied[channel], m.ID)
		if id, there := w.named[senderOf(m)]; there && m.Nonce != "" && id != m.ID {
			w.wrong("%+v is stored as %d and as %d", senderOf(m), id, m.ID)
		}
		w.named[senderOf(m)] = m.ID
		if uncertain {
			w.uncertain[m.ID] = true
		}
	}
	return w.store.Append(context.Background(), channel, part)
}

// Page is of Store.
func (l *life) Page(ctx context.Context, channel string, q Query) ([]Message, error) {
	switch l.fault("fail", "panic", "hang") {
	case "dead":
		return nil, errDead
	case "die before":
		l.kill()
		return nil, errDead
	case "fail":
		return nil, errStorm
	case "panic":
		panic("page")
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return l.w.store.Page(ctx, channel, q)
}

func (l *life) Edit(ctx context.Context, m Message) error { return l.w.store.Edit(ctx, m) }

func (l *life) Delete(ctx context.Context, channel string, ids ...ID) ([]ID, error) {
	return l.w.store.Delete(ctx, channel, ids...)
}

// deliver is Options.Deliver. What it is given is stored, and comes in order.
func (l *life) deliver(_ context.Context, channel string, batch []Message) error {
	w := l.w
	w.mu.Lock()
	if l.busy[channel] {
		w.wrong("channel %s is delivered to twice at a time", channel)
	}
	l.busy[channel] = true
	w.mu.Unlock()
	if w.chance(w.mortal / 2) {
		l.kill()
	}
	w.nap(2 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	l.busy[channel] = false
	if l.dead {
		return errDead
	}
	for _, m := range batch {
		page, _ := w.store.Page(context.Background(), channel, Query{Around: m.ID, Limit: 1})
		if len(page) != 1 || page[0].ID != m.ID || page[0].Content != m.Content {
			w.wrong("channel %s: %+v is delivered and not stored", channel, m)
		}
		// What may have been stored and not delivered comes when it is sent again.
		if m.ID <= l.newest[channel] && !w.uncertain[m.ID] && !w.delivered[m.ID] {
			w.wrong("channel %s: %d is delivered after %d", channel, m.ID, l.newest[channel])
		}
		l.newest[channel] = max(l.newest[channel], m.ID)
		w.delivered[m.ID] = true
	}
	return nil
}

// told notes what a sender heard, unless the one who said it is dead.
func (l *life) told(m Message, as Message, err error) (acknowledged bool) {
	w := l.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if l.dead {
		w.counts["unheard"]++
		w.left[senderOf(m)] = true
		return false
	}
	s := senderOf(m)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		w.counts[refusal.Code]++
		w.refused[s] = refusal.Code == CodeNotStored
		if (refusal.RetryAfter > 0) == (refusal.Code == CodeNotStored) {
			w.wrong("refused with %+v", refusal)
		}
		return false
	}
	delete(w.refused, s)
	if err != nil {
		w.counts["unknown"]++
		w.left[s] = true
		return false
	}
	w.counts["acknowledged"]++
	if id, before := w.acked[s]; before && id != as.ID {
		w.wrong("%+v was acknowledged as %d and as %d", s, id, as.ID)
	}
	if !w.delivered[as.ID] {
		w.wrong("%+v was acknowledged as %d and has not been delivered", s, as.ID)
	}
	if as.Content != w.content[s] || as.Channel != s.channel {
		w.wrong("%+v was acknowledged as %+v", s, as)
	}
	w.acked[s] = as.ID
	return true
}

// judge looks at what is stored in the end.
func (w *world) judge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	stored := make(map[sender]Message)
	for channel := range w.applied {
		for q := (Query{After: 1, Limit: MaxPage}); ; {
			page, err := w.store.Page(context.Background(), channel, q)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, m := range page {
				s := senderOf(m)
				if twin, there := stored[s]; there && m.Nonce != "" {
					w.wrong("%+v is stored as %d and as %d", s, twin.ID, m.ID)
				}
				if m.Content != w.content[s] {
					w.wrong("%+v is stored as %+v", s, m)
				}
				stored[s] = m
			}
			if len(page) < q.Limit {
				break
			}
			q.After = page[len(page)-1].ID
		}
	}
	for s, id := range w.acked {
		if stored[s].ID != id {
			w.wrong("%+v was acknowledged as %d, and %d is stored", s, id, stored[s].ID)
		}
	}
	for s := range w.refused {
		if m, there := stored[s]; there && w.refused[s] && !w.left[s] {
			w.wrong("%+v was refused and is stored: %+v", s, m)
		}
	}
}
