package message

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

// moving returns a channel that moves from one ring to the other, and its owners.
func moving(from, to *shard.Ring) (channel, main, also string) {
	for _, channel := range quiet(100) {
		if main, also := from.Owner(channel), to.Owner(channel); main != also {
			return channel, main, also
		}
	}
	panic("nothing moves")
}

func TestPlaceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, r := newCluster(1), rings()
		s := c.open(t, r[0])
		channel, main, also := moving(r[0], r[1])
		c[main].most, c[also].most = 5*time.Second, 5*time.Second
		both := c.placement(r[0])
		both.Also = r[1]

		var wrote, placed, read atomic.Bool
		go func() {
			if err := s.Append(t.Context(), channel, []Message{said(channel, 1)}); err != nil {
				t.Error(err)
			}
			wrote.Store(true)
		}()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := s.Place(short, both); !errors.Is(err, context.DeadlineExceeded) || s.Placement().Also != nil {
			t.Errorf("with a write under way: %v", err)
		}
		go func() {
			if err := s.Place(t.Context(), both); err != nil || !wrote.Load() {
				t.Errorf("placed while a write was under way: %v", err)
			}
			placed.Store(true)
		}()
		synctest.Wait()
		short, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := s.Edit(short, said(channel, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a write behind the gate: %v", err)
		}
		if err := s.Append(t.Context(), channel, []Message{said(channel, 2)}); err != nil || !placed.Load() {
			t.Errorf("written while the placement changed: %v", err)
		}
		if len(c[main].channels[channel]) != 2 || len(c[also].channels[channel]) != 1 {
			t.Errorf("%v, %v", brief(c[main].channels[channel]), brief(c[also].channels[channel]))
		}

		// A read that has begun ends before Place does: what it reads may be cleared after that.
		go func() {
			s.Page(t.Context(), channel, Query{Limit: 1})
			read.Store(true)
		}()
		synctest.Wait()
		if err := s.Place(t.Context(), c.placement(r[0])); err != nil || !read.Load() {
			t.Errorf("placed while a read was under way: %v", err)
		}
	})
}

// What one of two stores did not do keeps the other from being read until it is copied.
func TestPlaceIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, r := newCluster(1), rings()
		s := c.open(t, r[0])
		channel, main, also := moving(r[0], r[1])
		fill(t, s, channel, 10)
		there, back := c.placement(r[0]), c.placement(r[1])
		there.Also, back.Also = r[1], r[0]
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		must(s.Place(t.Context(), there))
		_, err := s.Copy(t.Context(), listed([]string{channel}))
		must(err)
		for _, failing := range []string{main, also, main, also, main, also} {
			for _, write := range []func() error{
				func() error { return s.Append(t.Context(), channel, []Message{said(channel, 11)}) },
				func() error { return s.Edit(t.Context(), Message{Channel: channel, ID: 3, Content: "edited"}) },
				func() error {
					_, err := s.Delete(t.Context(), channel, 5, 11)
					return err
				},
			} {
				c[failing].failing.Store(true)
				if err := write(); !errors.Is(err, errLost) {
					t.Error(err)
				}
				c[failing].failing.Store(false)
				// What can be read is in both, but for what has been edited.
				for _, m := range c[main].channels[channel] {
					if _, found := find(c[also].channels[channel], m.ID); !found {
						t.Errorf("%d is only where it is read", m.ID)
					}
				}
				if got := s.Behind(); !slices.Equal(got, []string{channel}) {
					t.Errorf("behind: %v", got)
				}
				if err := s.Place(t.Context(), back); !errors.Is(err, ErrBehind) {
					t.Error(err)
				}
				_, err := s.Copy(t.Context(), listed([]string{channel}))
				must(err)
				if a, b := c[main].channels[channel], c[also].channels[channel]; !samePage(a, b) {
					t.Errorf("copied:\n%v\n%v", brief(a), brief(b))
				}
			}
			must(s.Place(t.Context(), back))
			there, back, main, also = back, there, also, main
		}
	})
}

// A Copy that began under another placement would write over what is read now.
func TestCopyOfAnotherPlacement(t *testing.T) {
	c, r := newCluster(1), rings()
	for _, s := range c {
		s.most = 1
	}
	s := c.open(t, r[0])
	channel, _, _ := moving(r[0], r[1])
	there, back := c.placement(r[0]), c.placement(r[1])
	there.Also, back.Also = r[1], r[0]
	if err := s.Place(t.Context(), there); err != nil {
		t.Fatal(err)
	}
	_, err := s.Copy(t.Context(), func(yield func(string, error) bool) {
		if err := s.Place(t.Context(), back); err != nil {
			t.Error(err)
		}
		fill(t, c[r[1].Owner(channel)], channel, 5)
		yield(channel, nil)
	})
	if !errors.Is(err, errPlaced) || len(c[r[1].Owner(channel)].channels[channel]) != 5 {
		t.Errorf("%v", err)
	}
	// Nor does Clear delete what is in use.
	fill(t, c[r[0].Owner(channel)], channel, 5)
	for _, ring := range r {
		if _, err := s.Clear(t.Context(), ring, listed([]string{channel})); err != nil {
			t.Error(err)
		}
	}
	for _, ring := range r[:2] {
		if len(c[ring.Owner(channel)].channels[channel]) != 5 {
			t.Error("cleared")
		}
	}
}

func TestPlaceRefuses(t *testing.T) {
	c, r := newCluster(1), rings()
	delete(c, "d")
	if _, err := NewSharded(c.placement(r[1])); err == nil {
		t.Error("a node without a store")
	}
	if _, err := NewSharded(Placement{}); err == nil {
		t.Error("no ring")
	}
	s := c.open(t, r[0])
	if _, err := s.Reshard(t.Context(), c.placement(r[1]), listed(), nil); err == nil {
		t.Error("a node without a store")
	}
	if _, err := s.Reshard(t.Context(), Placement{}, listed(), nil); err == nil {
		t.Error("no ring")
	}
	broken := errors.New("no list")
	c = newCluster(1)
	_, err := s.Reshard(t.Context(), c.placement(r[1]), func(yield func(string, error) bool) { yield("", broken) }, nil)
	if !errors.Is(err, broken) || s.Placement().Ring != r[0] || s.Placement().Also != nil {
		t.Errorf("%v, %+v", err, s.Placement())
	}
}

// refusing is a store that keeps no message of an author.
type refusing struct {
	*MemoryStore
	author string
}

func (s refusing) Append(ctx context.Context, channel string, batch []Message) error {
	refused, kept := BatchError{}, []Message{}
	for i, m := range batch {
		if m.Author == s.author {
			refused[i] = errors.New("no")
		} else {
			kept = append(kept, m)
		}
	}
	if err := s.MemoryStore.Append(ctx, channel, kept); err != nil || len(refused) == 0 {
		return err
	}
	return refused
}

func TestAppendRefusedByOneOfTwo(t *testing.T) {
	r := rings()
	channel, main, also := moving(r[0], r[1])
	stores := map[string]Store{"a": NewMemoryStore(), "b": NewMemoryStore(), "c": NewMemoryStore(), "d": NewMemoryStore()}
	first, second := refusing{NewMemoryStore(), "x"}, refusing{NewMemoryStore(), "y"}
	stores[main], stores[also] = first, second
	s, err := NewSharded(Placement{Ring: r[0], Also: r[1], Stores: stores})
	if err != nil {
		t.Fatal(err)
	}
	batch := []Message{{ID: 1, Author: "y"}, {ID: 2, Author: "x"}, {ID: 3}, {ID: 4, Author: "y"}, {ID: 5, Author: "x"}, {ID: 6}}
	var partly BatchError
	if err := s.Append(t.Context(), channel, batch); !errors.As(err, &partly) || len(partly) != 4 || partly[2] != nil || partly[5] != nil {
		t.Errorf("%v", err)
	}
	page, err := s.Page(t.Context(), channel, Query{Limit: 10})
	if err != nil || len(page) != 2 || page[0].ID != 3 || page[1].ID != 6 {
		t.Error(page, err)
	}
	if len(s.Behind()) != 1 {
		t.Error("the second store has what the first refused, and nobody knows")
	}
}
