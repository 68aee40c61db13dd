package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// failingSessions takes no copies while it is told not to.
type failingSessions struct {
	*MemorySessions
	fails  atomic.Bool
	copies atomic.Int32
}

func (s *failingSessions) Save(ctx context.Context, node string, records ...StoredSession) error {
	if s.fails.Load() {
		return errors.New("not now")
	}
	for _, rec := range records {
		if rec.Node != "" {
			s.copies.Add(1)
		}
	}
	return s.MemorySessions.Save(ctx, node, records...)
}

// While the store does not answer, a session goes on and its topics change; when it
// answers again the copy is there within a second or so.
func TestCopiesAreSavedWhenTheStoreIsBack(t *testing.T) {
	store := &failingSessions{MemorySessions: NewMemorySessions()}
	store.fails.Store(true)
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	c, id := signIn(t, url, "ann")
	s := g.find(id)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for _, topic := range []string{"a", "b"} {
		if err := s.Subscribe(ctx, topic); err != nil {
			t.Fatal(err)
		}
	}
	publishNumbers(t, g, "b", 0, 2)
	c.wantEvents(2, 0, 2)
	if n := store.copies.Load(); n != 0 {
		t.Fatalf("%d copies", n)
	}
	store.fails.Store(false)
	eventually(t, "there is a copy", func() bool { return store.copies.Load() > 0 })
}

// A node that is asked for a session that it does not have gives back what the
// store says it has: a call of Take that failed may have taken it.
func TestNodeGivesBackWhatItDoesNotHave(t *testing.T) {
	a, b, urlA, urlB := twoNodes(t)
	c, session := signIn(t, urlA, "ann")
	c.ws.CloseNow()
	if err := shutdown(t, a, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	idle, _ := testGateway(t, shared(t, func(o *Options) { o.Broker, o.Sessions = b.opts.Broker, b.opts.Sessions }))
	if _, err := b.opts.Sessions.Take(t.Context(), idle.lease.node, session); err != nil { // and idle never hears of it
		t.Fatal(err)
	}
	resume(t, urlB, "ann", session, 1).want(0, "RESUMED")
}

// A living node has a session: its client reaches another one, which asks for it.
func TestSessionIsAskedFor(t *testing.T) {
	a, b, urlA, urlB := twoNodes(t)
	c, session := signIn(t, urlA, "ann")
	publishNumbers(t, b, "t", 0, 3)
	c.wantEvents(2, 0, 3)
	again := resume(t, urlB, "ann", session, 2) // the first connection still stands
	again.wantEvents(3, 1, 3)
	again.want(0, "RESUMED")
	publishNumbers(t, a, "t", 3, 5)
	again.wantEvents(5, 3, 5)
	if n := a.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions are still at the first node", n)
	}
	// Another user's stays where it is.
	resume(t, urlA, "eve", session, 2).want(9, "")
	if n := b.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions at the second node", n)
	}
}

// BenchmarkCopies saves copies of 1,000 sessions in five topics.
func BenchmarkCopies(b *testing.B) {
	g, url := testGateway(b, shared(b, func(o *Options) {
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			return nil, s.Subscribe(ctx, "a", "b", "c", "d", "e")
		}
	}))
	sessions := make([]*Session, 0, 1000)
	for range cap(sessions) {
		_, id := signIn(b, url, "ann")
		sessions = append(sessions, g.find(id))
	}
	bytes := 0
	b.ResetTimer()
	for b.Loop() {
		for i := 0; i < len(sessions); i += 250 {
			records, _ := g.copy(sessions[i : i+250])
			bytes = len(records[0].Data)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(sessions)), "ns/session")
	b.ReportMetric(float64(bytes), "bytes/copy")
}

// A topic that is quiet while its partition goes on keeps no old place in copies: a
// session with it is not lost for a history that has moved on.
func TestCopiesOfQuietTopicsAreNotOld(t *testing.T) {
	broker, sessions := NewMemoryBroker(MemoryBrokerOptions{History: 5}), NewMemorySessions()
	quiet, _ := broker.partition("t")
	busy := ""
	for i := 0; busy == ""; i++ {
		if p, _ := broker.partition(fmt.Sprint("busy ", i)); p == quiet {
			busy = fmt.Sprint("busy ", i)
		}
	}
	g, url := testGateway(t, func(o *Options) {
		o.Broker, o.Sessions, o.Limits.Checkpoint = broker, sessions, 2*time.Second
		o.Ready = func(ctx context.Context, s *Session) (any, error) { return nil, s.Subscribe(ctx, "t") }
	})
	_, id := signIn(t, url, "ann")
	publishNumbers(t, g, busy, 0, 20)
	eventually(t, "a copy has a place that the history knows", func() bool {
		rec, err := sessions.Take(t.Context(), "a test", id)
		var taken *TakenError
		if errors.As(err, &taken) { // as it should be: the node lives. Look at what it has saved.
			sessions.mu.Lock()
			rec = sessions.byID[id].StoredSession
			sessions.mu.Unlock()
		}
		st, err := decodeStored(rec)
		if err != nil {
			return false
		}
		for _, topic := range st.Topics {
			if topic.Name == "t" {
				_, err := broker.Since(t.Context(), topic.At)
				return err == nil
			}
		}
		return false
	})
}
