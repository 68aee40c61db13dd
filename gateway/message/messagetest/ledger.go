package messagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// ledger notes who takes what, and what in that breaks the contract of a Queue. The items of a key
// are numbered in the order in which they are put.
type ledger struct {
	mu       sync.Mutex
	keys     map[string]*account
	left     int           // items that are not acknowledged
	empty    chan struct{} // closed when there are none
	problems []error
}

// account is what the ledger has on one key.
type account struct {
	items  []entry
	holder message.Queue               // who had one of them last
	epochs map[message.Queue]lastEpoch // of each taker
}

type entry struct {
	state entryState
	by    message.Queue
	times int // how often it was taken
}

type entryState int

const (
	waiting entryState = iota
	taken
	acked
)

type lastEpoch struct {
	epoch uint64
	stale bool // another taker had some since
}

func newLedger() *ledger {
	return &ledger{keys: make(map[string]*account), empty: make(chan struct{})}
}

// item is number n of a key.
func item(key string, n int) message.Item {
	return message.Item{Key: key, ID: fmt.Sprint("id ", n), Data: []byte(strconv.Itoa(n))}
}

// put makes the next n items of each of the keys, and puts them.
func (l *ledger) put(ctx context.Context, q message.Queue, n int, keys ...string) error {
	var items []message.Item
	l.mu.Lock()
	if l.left == 0 {
		l.empty = make(chan struct{})
	}
	for range n {
		for _, key := range keys {
			p := l.keys[key]
			if p == nil {
				p = &account{epochs: make(map[message.Queue]lastEpoch)}
				l.keys[key] = p
			}
			items = append(items, item(key, len(p.items)))
			p.items = append(p.items, entry{})
			l.left++
		}
	}
	l.mu.Unlock()
	return during("Put", q.Put(ctx, items...))
}

// took notes items that a taker got.
func (l *ledger) took(by message.Queue, items []message.Item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range items {
		n, err := strconv.Atoi(string(it.Data))
		p := l.keys[it.Key]
		if err != nil || p == nil || n < 0 || n >= len(p.items) {
			l.broken(it, "was never put")
			continue
		}
		l.look(p, n, by, it)
		e := &p.items[n]
		if e.state == acked {
			continue
		}
		e.state, e.by = taken, by
		e.times++
		if p.holder != by {
			for q, of := range p.epochs {
				of.stale = of.stale || q != by
				p.epochs[q] = of
			}
		}
		p.holder, p.epochs[by] = by, lastEpoch{epoch: it.Epoch}
	}
}

// look checks one item that was taken. mu is held.
func (l *ledger) look(p *account, n int, by message.Queue, it message.Item) {
	e := p.items[n]
	switch {
	case e.state == acked:
		l.broken(it, "was taken again, though it had been acknowledged")
	case e.state == taken && e.by == by:
		l.broken(it, "was taken twice by one taker")
	case e.state == taken:
		l.broken(it, "was taken by a second taker, and the first one lives")
	}
	if it.Tries <= e.times {
		l.broken(it, fmt.Sprintf("was taken %d times before, and Tries is %d", e.times, it.Tries))
	}
	for i, other := range p.items {
		switch {
		case i != n && other.state == taken && other.by != by:
			l.broken(it, fmt.Sprintf("was taken while another taker has number %d", i))
			return
		case i < n && other.state == waiting:
			l.broken(it, fmt.Sprintf("was taken before number %d", i))
			return
		}
	}
	if before, had := p.epochs[by]; had && before.stale && before.epoch == it.Epoch {
		l.broken(it, fmt.Sprintf("has epoch %d, as an earlier one of its key that this taker had, and another one had some in between", it.Epoch))
	}
}

func (l *ledger) broken(it message.Item, what string) {
	l.problems = append(l.problems, fmt.Errorf("item %s of key %.40q %s", it.Data, it.Key, what))
}

// ack acknowledges items. They count as acknowledged as soon as they may be.
func (l *ledger) ack(ctx context.Context, by message.Queue, items ...message.Item) error {
	l.settled(items)
	return during("Ack", by.Ack(ctx, items...))
}

// settled notes that items are not to be taken again.
func (l *ledger) settled(items []message.Item) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range items {
		p, n := l.keys[it.Key], 0
		if p != nil {
			n, _ = strconv.Atoi(string(it.Data))
		}
		if p == nil || n >= len(p.items) || p.items[n].state == acked {
			continue
		}
		p.items[n].state = acked
		if l.left--; l.left == 0 {
			close(l.empty)
		}
	}
}

// died notes that a taker has nothing any more.
func (l *ledger) died(q message.Queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.keys {
		for i := range p.items {
			if e := &p.items[i]; e.state == taken && e.by == q {
				e.state = waiting
			}
		}
	}
}

func (l *ledger) done() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.empty
}

func (l *ledger) problem(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems = append(l.problems, err)
}

// verdict is what broke the contract so far.
func (l *ledger) verdict() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	problems := slices.Clone(l.problems)
	if l.left > 0 {
		problems = append(problems, fmt.Errorf("%d items have not come to anybody", l.left))
	}
	if most := 8; len(problems) > most {
		problems = append(problems[:most:most], fmt.Errorf("and %d more", len(problems)-most))
	}
	return errors.Join(problems...)
}
