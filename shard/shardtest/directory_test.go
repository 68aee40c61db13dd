package shardtest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

func TestMemoryDirectory(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := c.run(t.Context(), shard.NewMemoryDirectory()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// broken is a directory in which one sentence of the contract does not hold.
type broken struct {
	*shard.MemoryDirectory
	announce func(m shard.Member, lease time.Duration) (shard.Member, time.Duration)
	members  func([]shard.Member) []shard.Member
	deaf     bool
}

func (b *broken) Announce(ctx context.Context, m shard.Member, lease time.Duration) error {
	if b.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	if b.announce != nil {
		m, lease = b.announce(m, lease)
	}
	return b.MemoryDirectory.Announce(ctx, m, lease)
}

func (b *broken) Members(ctx context.Context) ([]shard.Member, error) {
	members, err := b.MemoryDirectory.Members(ctx)
	if b.members != nil {
		members = b.members(members)
	}
	return members, err
}

// longestLease has nothing shorten a lease.
func longestLease() func(shard.Member, time.Duration) (shard.Member, time.Duration) {
	until := map[string]time.Time{}
	return func(m shard.Member, lease time.Duration) (shard.Member, time.Duration) {
		lease = max(lease, time.Until(until[m.ID]))
		until[m.ID] = time.Now().Add(lease)
		return m, lease
	}
}

// TestEachCaseCatches: for every case there is a broken directory that it refuses.
func TestEachCaseCatches(t *testing.T) {
	type says = func(shard.Member, time.Duration) (shard.Member, time.Duration)
	leases := func(change func(time.Duration) time.Duration) says {
		return func(m shard.Member, lease time.Duration) (shard.Member, time.Duration) { return m, change(lease) }
	}
	tests := map[string]func() broken{
		"Announce": func() broken {
			return broken{members: func(all []shard.Member) []shard.Member { return all[:min(1, len(all))] }}
		},
		"Everything": func() broken {
			return broken{announce: func(m shard.Member, l time.Duration) (shard.Member, time.Duration) { m.URL = ""; return m, l }}
		},
		"InPlace": func() broken {
			return broken{announce: func(m shard.Member, l time.Duration) (shard.Member, time.Duration) { m.ID += m.Addr; return m, l }}
		},
		"Sorted": func() broken {
			return broken{members: func(all []shard.Member) []shard.Member { slices.Reverse(all); return all }}
		},
		"LeaseEnds": func() broken {
			return broken{announce: leases(func(l time.Duration) time.Duration { return l * 3600 })}
		},
		"LeaseLasts":      func() broken { return broken{announce: leases(func(l time.Duration) time.Duration { return l / 2 })} },
		"LastLeaseCounts": func() broken { return broken{announce: longestLease()} },
		"EndsAtOnce": func() broken {
			return broken{announce: leases(func(l time.Duration) time.Duration { return max(l, time.Second) })}
		},
		"EndsNobody": func() broken {
			return broken{announce: func(m shard.Member, l time.Duration) (shard.Member, time.Duration) {
				if l <= 0 {
					m.ID = "a" // the first that there is
				}
				return m, l
			}}
		},
		"ComesBack": func() broken {
			graves := map[string]bool{}
			return broken{announce: func(m shard.Member, l time.Duration) (shard.Member, time.Duration) {
				if graves[m.ID] = graves[m.ID] || l <= 0; graves[m.ID] {
					l = 0
				}
				return m, l
			}}
		},
		"Concurrent": func() broken {
			var busy sync.Mutex
			return broken{announce: func(m shard.Member, l time.Duration) (shard.Member, time.Duration) {
				if !busy.TryLock() {
					return m, 0 // who comes meanwhile is not heard
				}
				defer busy.Unlock()
				time.Sleep(time.Millisecond)
				return m, l
			}}
		},
		"Context": func() broken { return broken{deaf: true} },
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			wrong, ok := tests[c.name]
			if !ok {
				t.Fatal("no broken directory for it")
			}
			synctest.Test(t, func(t *testing.T) {
				b := wrong()
				b.MemoryDirectory = shard.NewMemoryDirectory()
				if err := c.run(t.Context(), &b); err == nil {
					t.Error("it was not noticed")
				}
			})
		})
	}
}
