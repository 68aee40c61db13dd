package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/runner"
	"github.com/gatehouse-go/gatehouse/shard"
)

// Session is one signed-in client. It outlives its connections. Its methods
// may be called by many goroutines at once.
type Session struct {
	// Static after construction.
	gw        *Gateway
	lane      *lane
	id        string
	user      User
	identify  Identify
	placement *shard.Placement

	commands runner.Queue // guarded by the runner

	// Guarded by mu, which is taken before a topic's stripe, a lane or a
	// connection is locked, and never while one of them is.
	mu      sync.Mutex
	ring    ring
	conn    *conn // whose turn it is to be written to; nil while there is none
	ended   bool
	doomed  *CloseError // why it gets no connection any more; nil: it may
	dirty   bool        // somebody is about to flush conn
	askedAt int64
	subs    []*subscription
}

// newSessionID returns 128 random bits.
func newSessionID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// ID returns the session's id: 128 random bits in hexadecimal. It is a secret
// of its client: together with the token it resumes the session.
func (s *Session) ID() string { return s.id }

// User returns who signed in, as Authenticate said.
func (s *Session) User() User { return s.user }

// Identify returns what the client signed in with, without its token.
func (s *Session) Identify() Identify { return s.identify }

// Intents returns the groups of events that the client asked for.
func (s *Session) Intents() Intent { return s.identify.Intents }

// Subscribe has the session sent what is published to the topics from now on:
// every event published after Subscribe returned. Subscribing twice is
// subscribing once. The context bounds waiting for the broker.
func (s *Session) Subscribe(ctx context.Context, topics ...string) error {
	for _, name := range topics {
		if err := s.subscribe(ctx, name); err != nil {
			return fmt.Errorf("gateway: subscribe to %q: %w", name, err)
		}
	}
	return nil
}

func (s *Session) subscribe(ctx context.Context, name string) error {
	if err := s.gw.topics.hold(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		s.gw.topics.release(name)
		return ErrClosed
	}
	if s.subscription(name) >= 0 {
		s.gw.topics.release(name)
		return nil
	}
	sub := &subscription{session: s, topic: name}
	s.subs = append(s.subs, sub)
	s.gw.topics.join(sub)
	return nil
}

// subscription returns the index of a topic in subs, or -1. mu is held.
func (s *Session) subscription(name string) int {
	return slices.IndexFunc(s.subs, func(sub *subscription) bool { return sub.topic == name })
}

// Unsubscribe ends subscriptions. What was published before it is still sent,
// see [Session.UnsubscribePurge].
func (s *Session) Unsubscribe(ctx context.Context, topics ...string) error {
	return s.unsubscribe(ctx, false, topics)
}

// UnsubscribePurge ends subscriptions and drops what is queued of them and has
// not been given a sequence yet: for when a permission was taken away.
func (s *Session) UnsubscribePurge(ctx context.Context, topics ...string) error {
	return s.unsubscribe(ctx, true, topics)
}

func (s *Session) unsubscribe(ctx context.Context, purge bool, topics []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return ErrClosed
	}
	for _, name := range topics {
		i := s.subscription(name)
		if i < 0 {
			continue
		}
		sub := s.subs[i]
		s.subs = slices.Delete(s.subs, i, i+1)
		s.gw.topics.leave(sub, purge)
		s.gw.topics.release(name)
	}
	return ctx.Err()
}

// Topics returns the topics that the session is subscribed to.
func (s *Session) Topics() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.subs))
	for i, sub := range s.subs {
		names[i] = sub.topic
	}
	return names
}

// Send queues an event for this session alone. It is numbered, kept and
// replayed like a published one; between the two no order is promised. What is
// sent from the Ready hook follows READY.
func (s *Session) Send(ctx context.Context, ev Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rec, err := seal("", ev)
	if err != nil {
		return err
	}
	return s.send(rec)
}

func (s *Session) send(rec Record) error {
	p := &published{Record: rec, at: time.Now().UnixNano()}
	if s.isEnded() {
		return ErrClosed
	}
	if c := s.offer([]*published{p}); c != nil {
		c.flushNow()
	}
	return nil
}

func (s *Session) isEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// offer appends what the session may see of a run of events to its ring. When
// there is something new to write it returns the connection, once until the
// next refill: whoever called has it flushed.
func (s *Session) offer(run []*published) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.doomed != nil {
		return nil
	}
	for _, p := range run {
		if !s.identify.Intents.sees(p.Intent) {
			continue
		}
		switch s.ring.append(p, &s.gw.bounds) {
		case refused:
			s.gw.stats.droppedVolatile.Add(1)
		case overflowed:
			return s.overflow()
		}
	}
	if s.dirty || s.conn == nil || !s.ring.pending() {
		return nil
	}
	s.dirty = true
	return s.conn
}

// overflow gives up a session that does not read as fast as it is sent to, and
// returns its connection, if it has one, to be told so. mu is held.
func (s *Session) overflow() *conn {
	s.gw.stats.slowConsumers.Add(1)
	return s.doom(&CloseError{Code: CloseSlowConsumer})
}

// doom ends what a session may have: its connection says goodbye, or, if it
// has none yet, the one that comes. The ring's memory is given back. mu is held.
func (s *Session) doom(cause *CloseError) *conn {
	c := s.conn
	s.conn, s.dirty, s.doomed = nil, false, cause
	s.ring.release()
	if c != nil {
		c.latch(cause)
	}
	return c
}

func (s *Session) purge(topic string) {
	s.mu.Lock()
	s.ring.purge(topic)
	s.mu.Unlock()
}

// maxWrite is about how many bytes go out in one write.
const maxWrite = 64 << 10

// refill appends the next frames for c to buf, numbering the events in them.
// It adds nothing when the session belongs to another connection by now.
func (s *Session) refill(c *conn, buf []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return buf
	}
	s.dirty = false
	n := 0
	for len(buf) < maxWrite {
		seq, p, ok := s.ring.take(&s.gw.bounds)
		if !ok {
			break
		}
		buf = p.appendDispatch(buf, c.form, seq)
		n++
	}
	s.gw.stats.delivered.Add(uint64(n))
	if n > 0 && s.ring.halfKept(&s.gw.bounds) {
		buf = s.askForAck(c, buf)
	}
	return buf
}

// askEvery is how often a session whose ring fills with unacknowledged events
// is asked for a heartbeat, at most.
const askEvery = int64(5 * time.Second)

func (s *Session) askForAck(c *conn, buf []byte) []byte {
	now := time.Now().UnixNano()
	if now-s.askedAt < askEvery {
		return buf
	}
	s.askedAt = now
	return appendMessage(buf, c.form, opHeartbeat, nil)
}

// ack is a heartbeat's sequence.
func (s *Session) ack(c *conn, seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return nil
	}
	return s.ring.ack(seq)
}

// kick closes the session for good.
func (s *Session) kick(reason string) {
	s.mu.Lock()
	c := s.doom(&CloseError{Code: CloseKicked, Reason: reason})
	s.mu.Unlock()
	if c != nil {
		c.flushNow()
	}
}

// end takes the session apart, once: no event is queued afterwards. It reports
// whether this call did it.
func (s *Session) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.ended = true
	s.conn = nil
	s.ring.release() // again, if it was doomed: an empty one
	for _, sub := range s.subs {
		s.gw.topics.leave(sub, false)
		s.gw.topics.release(sub.topic)
	}
	s.subs = nil
	return true
}
