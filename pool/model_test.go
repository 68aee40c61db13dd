package pool

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// model is the pool without locks, shards and counters.
type model struct {
	max     int
	limits  map[string]int
	entries map[int]*person
}

type person struct {
	conn    int
	touched time.Duration
	labels  map[Label]bool
}

func (m *model) count(l Label) int {
	n := 0
	for _, p := range m.entries {
		if p.labels[l] {
			n++
		}
	}
	return n
}

// label gives p all of labels, or none.
func (m *model) label(p *person, labels []Label) error {
	for _, l := range labels {
		limit := m.limits[l.Kind]
		if limit > 0 && !p.labels[l] && m.count(l) >= limit {
			return &LimitError{Label: l, Limit: limit}
		}
	}
	for _, l := range labels {
		p.labels[l] = true
	}
	return nil
}

func (m *model) add(key, conn int, labels []Label, now time.Duration) error {
	if m.entries[key] != nil {
		return ErrDuplicate
	}
	p := &person{conn: conn, touched: now, labels: map[Label]bool{}}
	if err := m.label(p, labels); err != nil {
		return err
	}
	if len(m.entries) >= m.max {
		return ErrFull
	}
	m.entries[key] = p
	return nil
}

func sameError(a, b error) bool {
	la, oka := errors.AsType[*LimitError](a)
	lb, okb := errors.AsType[*LimitError](b)
	if oka && okb {
		return *la == *lb
	}
	return a == b
}

// TestAgainstModel runs random calls on both and compares every answer, and after each call the counts.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { compare(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func compare(t *testing.T, r *rand.Rand) {
	const step = time.Second
	start := time.Unix(1000, 0)
	now := time.Duration(0)
	m := &model{max: 1 + r.IntN(30), limits: map[string]int{"user": 1 + r.IntN(3), "off": -1}, entries: map[int]*person{}}
	p := New[int, int](Options{
		Max: m.max, Limits: m.limits, IdleAfter: idleSteps * step,
		Now: func() time.Time { return start.Add(now) },
	})
	label := func() Label {
		return Label{[]string{"user", "off", "free"}[r.IntN(3)], fmt.Sprint(r.IntN(4))}
	}
	labels := func() (ls []Label) {
		for range r.IntN(4) {
			ls = append(ls, label())
		}
		return ls
	}
	// An entry is idle when its step lies more than idleSteps back: the promise in terms of whole steps.
	isIdle := func(e *person) bool { return now/step-e.touched/step > idleSteps }
	for i := range 3000 {
		key := r.IntN(40)
		e := m.entries[key]
		switch op := r.IntN(20); {
		case op < 6:
			ls := labels()
			if got, want := p.Add(key, i, ls...), m.add(key, i, ls, now); !sameError(got, want) {
				t.Fatalf("%d: Add(%d, %v) = %v, want %v", i, key, ls, got, want)
			}
		case op < 9:
			conn, ok := p.Remove(key)
			if ok != (e != nil) || ok && conn != e.conn {
				t.Fatalf("%d: Remove(%d) = %d, %v, want %v", i, key, conn, ok, e)
			}
			delete(m.entries, key)
		case op < 11:
			if ok := p.Touch(key); ok != (e != nil) {
				t.Fatalf("%d: Touch(%d) = %v", i, key, ok)
			}
			if e != nil {
				e.touched = max(e.touched, now)
			}
		case op < 14:
			ls := labels()
			want := ErrUnknown
			if e != nil {
				want = m.label(e, ls)
			}
			if got := p.Attach(key, ls...); !sameError(got, want) {
				t.Fatalf("%d: Attach(%d, %v) = %v, want %v", i, key, ls, got, want)
			}
		case op < 15:
			l := label()
			p.Detach(key, l)
			if e != nil {
				delete(e.labels, l)
			}
		case op < 18:
			now += time.Duration(r.Int64N(int64(3 * step)))
			if r.IntN(100) == 0 {
				now += 1000 * time.Hour
			}
		case op == 18:
			want := map[int]int{}
			for key, e := range m.entries {
				if isIdle(e) {
					want[key] = e.conn
					delete(m.entries, key)
				}
			}
			if got := maps.Collect(p.EvictIdle()); !maps.Equal(got, want) {
				t.Fatalf("%d: evicted %v, want %v", i, got, want)
			}
		default:
			conn, ok := p.Get(key)
			if ok != (e != nil) || ok && conn != e.conn {
				t.Fatalf("%d: Get(%d) = %d, %v, want %v", i, key, conn, ok, e)
			}
		}
		counts(t, i, p, m, isIdle, label())
	}
}

func counts(t *testing.T, i int, p *Pool[int, int], m *model, isIdle func(*person) bool, l Label) {
	t.Helper()
	idle := 0
	all := map[int]int{}
	with := map[int]int{}
	for key, e := range m.entries {
		all[key] = e.conn
		if e.labels[l] {
			with[key] = e.conn
		}
		if isIdle(e) {
			idle++
		}
	}
	s := p.Stats()
	if s.Max != m.max || s.Total != len(all) || s.Idle != idle || s.Active != len(all)-idle {
		t.Fatalf("%d: Stats = %+v, want total %d, idle %d", i, s, len(all), idle)
	}
	if got := p.Count(l); got != len(with) {
		t.Fatalf("%d: Count(%v) = %d, want %d", i, l, got, len(with))
	}
	if got := maps.Collect(p.With(l)); !maps.Equal(got, with) {
		t.Fatalf("%d: With(%v) = %v, want %v", i, l, got, with)
	}
	if i%10 == 0 {
		if got := maps.Collect(p.All()); !maps.Equal(got, all) {
			t.Fatalf("%d: All = %v, want %v", i, got, all)
		}
	}
	consistent(t, p)
}

// consistent checks what must hold between the parts of a pool that nobody uses at the moment.
func consistent(t *testing.T, p *Pool[int, int]) {
	t.Helper()
	total, marks := 0, 0
	for i := range p.shards {
		s := &p.shards[i]
		sum := s.idle
		for _, n := range s.recent {
			sum += n
		}
		entries := slices.Collect(s.entries.all)
		if int(sum) != len(entries) || len(entries) != s.entries.count || s.idle < 0 || slices.Min(s.recent[:]) < 0 {
			t.Fatalf("shard %d counts %d idle and %v recent of %d", i, s.idle, s.recent, len(entries))
		}
		if n := s.changes.Load(); n%2 != 0 {
			t.Fatalf("shard %d was left amidst change %d", i, n)
		}
		total += len(entries)
		for _, e := range entries {
			for m := e.val.marks; m != nil; m = m.next {
				marks++
				if l := m.group.key; m.entry != e || m.group != p.labels.group(l) || m.group.val.marks[m.place] != m {
					t.Fatalf("mark %v of %d points elsewhere", l, e.key)
				}
			}
		}
	}
	if int64(total) != p.total.Load() {
		t.Fatalf("total is %d, the shards hold %d", p.total.Load(), total)
	}
	for i := range p.labels.stripes {
		for g := range p.labels.stripes[i].groups.all {
			n := len(g.val.marks)
			marks -= n
			if limit := p.labels.limits[g.key.Kind]; n == 0 || limit > 0 && n > limit {
				t.Fatalf("%d entries with %v", n, g.key)
			}
		}
	}
	if marks != 0 {
		t.Fatalf("%d marks too many for the groups", marks)
	}
}
