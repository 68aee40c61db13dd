package nats

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Where a key belongs must never change: what is in a queue would be out of order.
func TestPartitionOf(t *testing.T) {
	q := &Queue{partitions: 16}
	for key, want := range map[string]int{"": 5, "a": 12, "7": 6, "channel": 4, "頻道": 4} {
		if got := q.partitionOf(key); got != want {
			t.Errorf("%q belongs to %d, want %d", key, got, want)
		}
	}
}

func TestQuota(t *testing.T) {
	for number := range 20 {
		for among := 1; among < 8; among++ {
			sum := 0
			for place := range among {
				n := quota(number, place, among)
				if n < number/among || n > number/among+1 {
					t.Errorf("of %d, place %d among %d has %d", number, place, among, n)
				}
				sum += n
			}
			if sum != number {
				t.Errorf("%d among %d are %d", number, among, sum)
			}
		}
	}
}

// Tries agree with a count of every item, through takers that take some from the first that is left,
// and acknowledge some of it.
func TestTries(t *testing.T) {
	const most = 40
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var written tries
		counts, done := make(map[uint64]int), make(map[uint64]bool)
		for epoch := uint64(1); epoch < 20; epoch++ {
			mine := written.succeed(epoch)
			var left []uint64
			for seq := uint64(1); seq <= most; seq++ {
				if !done[seq] {
					left = append(left, seq)
				}
			}
			taken := 0
			for range random.IntN(4) { // Takes
				n := min(len(left)-taken, 1+random.IntN(5))
				if n == 0 {
					break
				}
				some := left[taken : taken+n]
				mine = mine.taken(some[0], some[n-1])
				for _, seq := range some {
					if got := mine.of(seq); got != counts[seq] {
						t.Fatalf("seed %d, epoch %d: item %d was taken %d times, and tries are %d", seed, epoch, seq, counts[seq], got)
					}
					counts[seq]++
				}
				taken += n
				written = mine
			}
			for _, seq := range left[:taken] {
				done[seq] = random.IntN(3) == 0
			}
		}
	}
}

// What is delivered is taken in once, in order, whatever is delivered again.
func TestAdd(t *testing.T) {
	p := newPartition(t.Context(), 3, "3-x", 1, 1000)
	add := func(seq uint64) string {
		what, _ := p.add(&entry{partition: p, seq: seq, size: 10})
		return fmt.Sprint([]string{"fresh", "here", "forgotten", "unburied"}[what], " ", len(p.ahead), " ", p.bytes)
	}
	expect := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect(add(5), "fresh 1 10")
	expect(add(9), "fresh 2 20")
	expect(add(5), "here 2 20")
	expect(add(7), "forgotten 2 20") // it was acknowledged before there was a 9
	first := p.take(1)
	expect(add(5), "here 1 10")
	p.untake(first)
	expect(add(5), "here 2 20")
	both := p.take(5)
	if len(both) != 2 || both[0].seq != 5 || !p.settle(both[0]) || p.settle(both[0]) || p.drained() {
		t.Errorf("took %v, settling %d", both, p.settling)
	}
	expect(add(5), "forgotten 0 0")
	expect(add(9), "here 0 0")
	why := "because"
	both[1].why = &why
	expect(add(9), "unburied 0 0")
	if !p.settle(both[1]) || p.drained() {
		t.Error("it is drained before the server knows")
	}
}
