package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// heldBroker counts the reads of its history, and holds them up while it is told to.
type heldBroker struct {
	*MemoryBroker
	reads atomic.Int32
	held  chan struct{}
}

func (b *heldBroker) Since(ctx context.Context, from Position) ([]Record, error) {
	b.reads.Add(1)
	<-b.held
	return b.MemoryBroker.Since(ctx, from)
}

// Who reads a partition while others do is served with them, with all that was
// published before it asked, and with nothing before its position; one who reaches
// further back than the history does not take others along.
func TestReadsOfTheHistoryAreShared(t *testing.T) {
	broker := &heldBroker{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{History: 50}), held: make(chan struct{})}
	g, _ := testGateway(t, func(o *Options) { o.Broker = broker })
	feed, err := broker.Open(t.Context(), func(Record) {})
	if err != nil {
		t.Fatal(err)
	}
	at, err := feed.Follow(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	publishNumbers(t, g, "t", 0, 60) // the first ten are forgotten
	var all sync.WaitGroup
	const readers = 100
	got := make([]string, readers)
	read := func(i int) {
		from := at
		from.Offset = uint64(i)
		events, err := g.history.since(t.Context(), from)
		switch {
		case errors.Is(err, ErrGap):
			got[i] = "gap"
		case err != nil:
			got[i] = err.Error()
		case len(events) == 0:
			got[i] = "nothing"
		default:
			got[i] = fmt.Sprintf("%s to %s", events[0].Data, events[len(events)-1].Data)
		}
	}
	all.Go(func() { read(20) })
	eventually(t, "somebody reads", func() bool { return broker.reads.Load() == 1 })
	for i := range readers {
		if i != 20 && i <= 61 {
			all.Go(func() { read(i) })
		}
	}
	eventually(t, "the others wait", func() bool {
		g.history.mu.Lock()
		defer g.history.mu.Unlock()
		next := g.history.partitions[at.Partition].next
		return next != nil && next.readers == 61
	})
	publishNumbers(t, g, "t", 60, 61)
	close(broker.held)
	all.Wait()
	for i := range 62 {
		want := fmt.Sprintf("%d to 60", i)
		switch {
		case i == 61:
			want = "nothing"
		case i < 11:
			want = "gap"
		}
		if got[i] != want {
			t.Errorf("behind %d: got %s, want %s", i, got[i], want)
		}
	}
}

// A hundred who come at once are two reads.
func TestManyReadsOfTheHistoryAreFew(t *testing.T) {
	broker := &heldBroker{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{}), held: make(chan struct{})}
	g, _ := testGateway(t, func(o *Options) { o.Broker = broker })
	publishNumbers(t, g, "t", 0, 10)
	records := broker.partitions[0].history
	for i := range broker.partitions {
		if h := broker.partitions[i].history; len(h) > 0 {
			records = h
		}
	}
	from := records[0].Position
	var all sync.WaitGroup
	read := func() {
		if events, err := g.history.since(t.Context(), from); err != nil || len(events) != 9 {
			t.Errorf("%d events, %v", len(events), err)
		}
	}
	all.Go(read)
	eventually(t, "one reads", func() bool { return broker.reads.Load() == 1 })
	for range 99 {
		all.Go(read)
	}
	eventually(t, "all have asked", func() bool {
		g.history.mu.Lock()
		defer g.history.mu.Unlock()
		p := g.history.partitions[from.Partition]
		return p != nil && p.next != nil && p.next.readers == 99
	})
	close(broker.held)
	all.Wait()
	if n := broker.reads.Load(); n != 2 {
		t.Errorf("%d reads", n)
	}
}
