package kafka

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Of whoever has a partition, for however long, and commits as it likes: each item that was taken
// comes again until that it was dealt with has been committed, and never after; Tries counts.
func TestPartitionLives(t *testing.T) {
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var log []int64 // offsets that have a record; transactions and compaction leave holes
		for at := int64(rng.IntN(3)); len(log) < 150; at += 1 + int64(rng.IntN(2)*rng.IntN(3)) {
			log = append(log, at)
		}
		done := make(map[int64]bool) // and committed
		tries := make(map[int64]int) // committed
		var offset int64
		text, epoch := "", uint64(0)
		for life := 0; len(done) < len(log); life++ {
			was, err := decode(offset, text)
			if err != nil {
				t.Fatal(err)
			}
			p := &partition{}
			owner := 1 + rng.Uint64N(2)
			same := was.owner == owner
			if rng.IntN(2) == 0 {
				p.load(was, owner)
			}
			feed := log
			for len(feed) > 0 && feed[0] < offset {
				feed = feed[1:]
			}
			finished := make(map[int64]bool)
			taken := make(map[int64]int)
			var out []*entry
			for range rng.IntN(100) {
				switch rng.IntN(4) {
				case 0:
					for n := rng.IntN(20); n > 0 && len(feed) > 0; n-- {
						p.add(&kgo.Record{Offset: feed[0]})
						feed = feed[1:]
					}
					if !p.loaded {
						p.load(was, owner)
					}
				case 1:
					for range rng.IntN(10) {
						e := p.take()
						if e == nil {
							break
						}
						at := e.record.Offset
						if done[at] || finished[at] {
							t.Fatalf("seed %d: %d was dealt with", seed, at)
						}
						if e.tries != tries[at]+1 {
							t.Fatalf("seed %d: %d was taken %d times, and it says %d", seed, at, tries[at], e.tries)
						}
						if rng.IntN(10) == 0 {
							p.untake()
							break
						}
						taken[at] = e.tries
						out = append(out, e)
					}
				case 2:
					if len(out) > 0 {
						i := rng.IntN(len(out))
						p.finish(out[i])
						p.finish(out[i]) // twice is once
						finished[out[i].record.Offset] = true
						out = append(out[:i], out[i+1:]...)
					}
				case 3:
					if !p.loaded {
						continue
					}
					now := p.progress(owner)
					offset, text = now.first(), now.encode()
					for at := range finished {
						done[at] = true
					}
					for at, n := range taken {
						tries[at] = n
					}
					if same && epoch != 0 && now.epoch != epoch || !same && now.epoch != epoch+1 {
						t.Fatalf("seed %d: epoch %d after %d, same %v", seed, now.epoch, epoch, same)
					}
					epoch, same = now.epoch, true
				}
			}
		}
	}
}

// takeAll takes what can be taken of a partition that has records without end.
func takeAll(p *partition) (all []*entry) {
	for {
		for p.ready() < 10 {
			p.add(&kgo.Record{Offset: p.next})
		}
		e := p.take()
		if e == nil {
			return all
		}
		all = append(all, e)
	}
}

func TestPartitionBlocks(t *testing.T) {
	p := &partition{}
	p.load(progress{}, 1)
	all := takeAll(p)
	if len(all) != maxOpen || !p.blocked() {
		t.Errorf("%d items are out, blocked %v", len(all), p.blocked())
	}
	p.finish(all[9])
	if e := p.take(); e == nil || e.record.Offset != maxOpen || !p.blocked() {
		t.Errorf("after one was dealt with: %+v, blocked %v", e, p.blocked())
	}

	p = &partition{}
	p.load(progress{}, 1)
	n := 0
	for all := takeAll(p); len(all) > 0; all = takeAll(p) {
		for _, e := range all {
			if n++; n > 1 { // the first one is never dealt with
				p.finish(e)
			}
		}
	}
	if n != maxSpan || !p.blocked() || len(p.progress(1).encode()) > 64 {
		t.Errorf("%d items behind one, blocked %v", n, p.blocked())
	}
}

// A record that retention took away is not waited for.
func TestPartitionForgets(t *testing.T) {
	p := &partition{}
	p.load(progress{epoch: 1, owner: 2, end: 10, todo: []run{{2, 4, 1}, {6, 9, 1}}}, 1)
	p.add(&kgo.Record{Offset: 7})
	if now := p.progress(1); fmt.Sprint(now.todo) != "[{7 8 1} {8 9 1}]" {
		t.Errorf("%+v", now)
	}
}
