package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/runner"
	"github.com/gatehouse-go/gatehouse/shard"
)

// Session is one signed-in client. It outlives its connections. Its methods
// may be called by many goroutines at once.
type Session struct {
	// What a delivery touches comes first, in as few cache lines as can be.

	gw   *Gateway // static
	lane *lane    // static

	// mu guards what is not static. It is taken before a topic's stripe, a lane or
	// a connection is locked, and never while one of them is.
	mu       sync.Mutex
	conn     *conn // whose turn it is to be written to; nil while there is none
	phase    phase
	saved    bool        // and gone: another gateway may have it
	dirty    bool        // somebody is about to flush conn
	counted  int32       // of the ring's unsent events, in the lane's count
	intents  Intent      // static
	doomed   *CloseError // why it gets no connection any more; nil: it may
	ring     ring
	detached int64 // since when nobody reads, Unix nanoseconds; 0 while somebody does or is about to
	subs     []*subscription
	presence *PresenceUpdate // what the client said last
	copyAt   atomic.Int64    // when the next copy is to be saved, Unix nanoseconds; 0: there is none yet

	// Nil until there is a need.
	calls   *calls   // what the application's calls run in
	watched *watched // what the wheel holds while nobody reads
	transit *transit // on its way from here to another gateway, or from there
	faults  *faults
	replies *replies

	// Static after construction.
	id        string
	user      User
	identity  identity
	placement *shard.Placement

	// Guarded by their runners.
	commands runner.Queue
	chores   runner.Queue
}

// newSessionID returns 128 random bits.
func newSessionID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// isSessionID reports whether newSessionID could have returned id.
func isSessionID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

// ID returns the session's id: 128 random bits in hexadecimal. It is a secret
// of its client: together with the token it resumes the session.
func (s *Session) ID() string { return s.id }

// User returns who signed in, as Authenticate said.
func (s *Session) User() User { return s.user }

// Identify returns what the client signed in with, without its token. Its
// properties are the caller's own.
func (s *Session) Identify() Identify {
	id := s.identity.identify()
	id.Intents = s.intents
	return id
}

// Intents returns the groups of events that the client asked for.
func (s *Session) Intents() Intent { return s.intents }

// Subscribe has the session sent what is published to the topics from now on:
// every event published after Subscribe returned. Subscribing twice is
// subscribing once. The context bounds waiting for the broker, and with
// Options.Sessions for the session's copy: a killed node has not lost what
// Subscribe or Unsubscribe returned nil for.
func (s *Session) Subscribe(ctx context.Context, topics ...string) error {
	if err := checkTopics(topics...); err != nil {
		return err
	}
	if err := s.subscribe(ctx, topics); err != nil {
		return err
	}
	return s.gw.copies.keep(ctx, s)
}

func (s *Session) subscribe(ctx context.Context, topics []string) error {
	s.mu.Lock()
	s.subs = slices.Grow(s.subs, len(topics))
	s.mu.Unlock()
	for _, name := range topics {
		if _, err := s.join(ctx, name, false); err != nil {
			return fmt.Errorf("gateway: subscribe to %q: %w", name, err)
		}
	}
	return nil
}

// join is what Subscribe does for one topic, also for a session that is catching
// up. It returns the session's subscription.
func (s *Session) join(ctx context.Context, name string, catchingUp bool) (*subscription, error) {
	if err := s.gw.topics.hold(ctx, name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseGone || s.phase.moving() && !catchingUp {
		s.gw.topics.release(name)
		return nil, ErrClosed
	}
	if i := s.subscription(name); i >= 0 {
		s.gw.topics.release(name)
		return s.subs[i], nil
	}
	sub := &subscription{session: s}
	s.subs = append(s.subs, sub)
	s.gw.topics.join(sub, name)
	return sub, nil
}

// subscription returns the index of a topic in subs, or -1. mu is held.
func (s *Session) subscription(name string) int {
	return slices.IndexFunc(s.subs, func(sub *subscription) bool { return sub.topic.name == name })
}

// Unsubscribe ends subscriptions. What was published before it is still sent,
// see [Session.UnsubscribePurge].
func (s *Session) Unsubscribe(ctx context.Context, topics ...string) error {
	return s.unsubscribe(ctx, false, topics)
}

// UnsubscribePurge ends subscriptions and drops what is on its way of them and
// has not been given a sequence yet: for when a permission was taken away. When
// it returned, nothing of the topics is given one any more.
func (s *Session) UnsubscribePurge(ctx context.Context, topics ...string) error {
	return s.unsubscribe(ctx, true, topics)
}

func (s *Session) unsubscribe(ctx context.Context, purge bool, topics []string) error {
	if err := checkTopics(topics...); err != nil {
		return err
	}
	if err := s.leaveAll(ctx, purge, topics); err != nil {
		return err
	}
	return s.gw.copies.keep(ctx, s)
}

func (s *Session) leaveAll(ctx context.Context, purge bool, topics []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseGone {
		return ErrClosed
	}
	err := ctx.Err()
	for _, name := range topics {
		if i := s.subscription(name); i >= 0 {
			s.leave(i, purge)
		}
		if s.phase.moving() {
			tr := s.inTransit()
			if tr.revoked == nil {
				tr.revoked = make(map[string]bool)
			}
			tr.revoked[name] = tr.revoked[name] || purge
			err = ErrClosed
		}
	}
	return err
}

// leave ends the i-th subscription. mu is held.
func (s *Session) leave(i int, purge bool) {
	sub := s.subs[i]
	s.subs = slices.Delete(s.subs, i, i+1)
	if purge {
		sub.cut = true
		s.ring.purge(sub.topic.name)
		s.settle()
	}
	tr := s.inTransit()
	tr.departing = append(tr.departing, sub)
	sub.departing = true
	s.gw.topics.leave(sub)
	s.gw.topics.release(sub.topic.name)
}

// Topics returns the topics that the session is subscribed to.
func (s *Session) Topics() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.subs))
	for _, sub := range s.subs {
		if name := sub.topic.name; !strings.HasPrefix(name, ownTopics) {
			names = append(names, name)
		}
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
	rec, err := Seal("", ev)
	if err != nil {
		return err
	}
	return s.send(rec)
}

func (s *Session) send(rec Record) error {
	c, gone := s.offer(nil, []*published{s.gw.received(rec)})
	if gone {
		return ErrClosed
	}
	if c != nil {
		c.flushNow()
	}
	return nil
}

// isGone reports whether nothing reaches the session any more.
func (s *Session) isGone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deaf()
}

// wasSaved reports whether the session has ended here, and another gateway may
// have it.
func (s *Session) wasSaved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved
}

// offer appends what the session may see of a run of events of a topic to its
// ring. When there is something new to write it returns the connection, once
// until the next refill: whoever called has it flushed. sub is nil for what is
// sent to the session alone. gone says that nothing reaches the session any more.
func (s *Session) offer(sub *subscription, run []*published) (c *conn, gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.deaf():
		return nil, true
	case sub != nil && sub.cut:
		return nil, false
	case s.phase == phaseCatchingUp:
		s.transit.stash = append(s.transit.stash, offered{sub, slices.Clone(run)})
		return nil, false
	}
	run = sub.unseen(run)
	c, overflown := s.appendAll(run)
	if overflown {
		s.settle()
		return c, false
	}
	if s.ring.halfUnsent(&s.gw.bounds) {
		s.tellSlow(false)
	}
	if s.dirty || s.conn == nil || !s.ring.pending() {
		s.settle()
		return nil, false
	}
	s.dirty = true
	return s.conn, false // which settles: what is being written does not wait
}

// appendAll appends what the session may see. When that is more than it may
// hold it reports so, with the connection that is to be told. mu is held.
func (s *Session) appendAll(run []*published) (c *conn, overflown bool) {
	for _, p := range run {
		if p.own {
			if told := s.obey(p); s.doomed != nil {
				return told, true
			}
			continue
		}
		if !s.intents.sees(p.Intent) {
			continue
		}
		switch s.ring.append(p, &s.gw.bounds) {
		case refused:
			s.gw.stats.droppedVolatile.Add(1)
		case overflowed:
			if told := s.overflow(); told != nil {
				c = told
			}
			overflown = true
			if s.doomed != nil {
				return c, true
			}
		}
	}
	return c, overflown
}

// maxWrite is about how many bytes go out in one write.
const maxWrite = 64 << 10

// refill appends the next frames for c to sc, numbering the events in them.
// It adds nothing when the session belongs to another connection by now. What
// an earlier refill took has been written, or put back.
func (s *Session) refill(c *conn, sc *scratch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c || s.phase == phaseFrozen {
		return
	}
	s.dirty = false
	s.ring.trim(&s.gw.bounds)
	n := 0
	for sc.size() < maxWrite {
		if seq, p, ok := s.ring.take(); ok {
			tail := p.tail(c.form)
			sc.buf = appendHead(sc.buf, c.form, seq, len(tail))
			sc.addTail(tail)
			sc.add(frameDispatch, seq)
			n++
		} else if s.ring.caughtUp() {
			sc.buf = appendEnvelope(sc.buf, c.form, opDispatch, emptyObject, "RESUMED", s.ring.next-1)
			sc.add(frameResumed, 0)
		} else {
			break
		}
	}
	s.settle()
	sc.more = s.ring.pending()
	s.gw.stats.delivered.Add(uint64(n))
	if n > 0 && s.ring.halfKept(&s.gw.bounds) {
		s.askForAck(c, sc)
	}
}

// settle has the lane's count of unsent events follow the ring. mu is held.
func (s *Session) settle() {
	if d := s.ring.unsentLive - int(s.counted); d != 0 {
		s.counted += int32(d)
		s.lane.unsent.Add(int64(d))
	}
}

// countUnsent has the lane count what the ring holds of a session whose
// connection waits for its socket.
func (s *Session) countUnsent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

var emptyObject = []byte("{}")

// putBack has frames of a refill written again: the socket did not take them.
func (s *Session) putBack(c *conn, frames []dataFrame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return // its successor is sent all that its client has not seen
	}
	n := 0
	for i := len(frames) - 1; i >= 0; i-- {
		switch frames[i].kind {
		case frameDispatch:
			s.ring.putBack(frames[i].seq)
			n++
		case frameResumed:
			s.ring.putBackResumed()
		case frameAsk:
			s.trouble().askedAt = 0
		}
	}
	s.gw.stats.delivered.Add(-uint64(n))
}

// askEvery is how often a session whose ring fills with unacknowledged events
// is asked for a heartbeat, at most.
const askEvery = int64(5 * time.Second)

func (s *Session) askForAck(c *conn, sc *scratch) {
	now, faults := s.gw.now().UnixNano(), s.trouble()
	if now-faults.askedAt < askEvery {
		return
	}
	faults.askedAt = now
	c.asked.Store(true)
	sc.buf = appendMessage(sc.buf, c.form, opHeartbeat, nil)
	sc.add(frameAsk, 0)
}

// ack is a heartbeat's sequence.
func (s *Session) ack(c *conn, seq uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return nil
	}
	if err := s.ring.ack(seq); err != nil {
		return err
	}
	s.noteWritten()
	s.ring.trimOlder(s.gw.now().Add(-s.gw.limits.KeptAge).UnixNano())
	if s.ring.head == s.ring.sent {
		s.nothingToAwait()
	}
	return nil
}

// noteWritten has the ring know that what was taken has been written, which is so
// when nobody is writing; else a part of it may still be put back. mu is held.
func (s *Session) noteWritten() {
	if s.conn != nil && !s.conn.isWriting() {
		s.ring.wrote()
	}
}

// nothingToAwait tells who waits for the client to acknowledge that it has, or
// cannot any more. mu is held.
func (s *Session) nothingToAwait() {
	if tr := s.transit; tr != nil && tr.acked != nil {
		close(tr.acked)
		tr.acked = nil
	}
}
