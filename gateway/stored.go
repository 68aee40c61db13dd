package gateway

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
)

// storedVersion is the format of StoredSession.Data: this byte, then JSON. A
// rolling deploy runs two versions at once, and sessions go both ways: a field may
// be added that an older reader does without, and loses; the byte changes when an older
// reader would be wrong, one release after readers know it (docs/running.md).
const storedVersion = 1

// copyVersion is that of a copy, which an older reader would take for a whole record.
const copyVersion = 2

// stored is a session on its way through a SessionStore. What it holds is saved
// as bytes, what it has not been appended yet as positions in the broker's
// history: who may see an event was decided when it was appended.
type stored struct {
	copy bool // the version says so

	Properties     json.RawMessage `json:"properties,omitempty"`
	Intents        Intent          `json:"intents"`
	Shard          *[2]int         `json:"shard,omitempty"`
	LargeThreshold int             `json:"large_threshold,omitempty"`
	Presence       *PresenceUpdate `json:"presence,omitempty"`

	Acked    uint64        `json:"acked"`    // the sequence of the first event
	Numbered int           `json:"numbered"` // events that have their sequence; the others follow
	Events   []storedEvent `json:"events,omitempty"`
	Topics   []storedTopic `json:"topics,omitempty"`
	Replies  []reply       `json:"replies,omitempty"`
	Orders   []storedOrder `json:"orders,omitempty"`
}

type storedEvent struct {
	Topic  string          `json:"topic,omitempty"`
	Type   string          `json:"type"`
	Key    string          `json:"key,omitempty"`
	ID     string          `json:"id,omitempty"` // in a broker's history
	Intent Intent          `json:"intent,omitempty"`
	Class  Class           `json:"class,omitempty"`
	At     int64           `json:"at"` // Unix nanoseconds
	Data   json.RawMessage `json:"data"`

	Position *Position `json:"position,omitempty"` // nil: it was sent to the session alone
	Seq      uint64    `json:"seq,omitempty"`      // of a copy; 0: it had none yet
}

// stored is the event as a record of a session has it.
func (p *published) stored(drift int64) storedEvent {
	ev := storedEvent{Topic: p.Topic, Type: p.Type, Key: p.Key, Intent: p.Intent, Class: p.Class, At: p.at + drift, Data: p.Data}
	if !p.Position.IsZero() {
		ev.Position = &p.Position
	}
	return ev
}

// record is the event again.
func (ev storedEvent) record() Record {
	rec := Record{Topic: ev.Topic, Type: ev.Type, Key: ev.Key, ID: ev.ID, Data: ev.Data, Intent: ev.Intent, Class: ev.Class}
	if ev.Position != nil {
		rec.Position = *ev.Position
	}
	return rec
}

// check says what is wrong with an event that comes from outside of the process:
// nobody looks at it again before it is written to clients.
func (ev storedEvent) check() error {
	if !plainType(ev.Type) {
		return fmt.Errorf("%w: %q", errType, ev.Type)
	}
	if ev.Class > Volatile {
		return fmt.Errorf("event %s of class %d", ev.Type, ev.Class)
	}
	if err := codec.CheckJSON(ev.Data, ours); err != nil {
		return fmt.Errorf("data of event %s: %w", ev.Type, err)
	}
	return nil
}

// storedTopic is a subscription, and how far its topic was seen.
type storedTopic struct {
	Name string   `json:"name"`
	At   Position `json:"at"`
}

// snapshot is the session's record, but for its topics and its events. mu is held.
func (s *Session) snapshot() stored {
	who := &s.identity
	st := stored{
		Properties: json.RawMessage(who.properties), Intents: s.intents, Shard: who.shard,
		LargeThreshold: int(who.largeThreshold), Presence: s.presence,
		Acked: s.ring.acked,
	}
	if s.replies != nil {
		st.Replies = slices.Clone(s.replies.last)
	}
	if s.transit != nil {
		st.Orders = slices.Clone(s.transit.orders)
	}
	return st
}

// addEvents has the record hold what the ring does. mu is held.
func (st *stored) addEvents(s *Session) {
	st.Numbered = int(s.ring.sent - s.ring.head)
	drift := s.gw.drift()
	for p := range s.ring.all() {
		st.Events = append(st.Events, p.stored(drift))
	}
}

func (s *Session) encode(st stored, expires time.Time) (StoredSession, error) {
	data, err := json.Marshal(st)
	if err != nil {
		return StoredSession{}, fmt.Errorf("encode session: %w", err)
	}
	version := byte(storedVersion)
	if st.copy {
		version = copyVersion
	}
	return StoredSession{ID: s.id, User: s.user.ID, Expires: expires, Data: append([]byte{version}, data...)}, nil
}

// decodeStored reads what encode wrote. Every error is ErrVersion:
// what is damaged will not get better either.
func decodeStored(rec StoredSession) (st stored, err error) {
	if len(rec.Data) == 0 || rec.Data[0] != storedVersion && rec.Data[0] != copyVersion {
		return st, ErrVersion
	}
	st.copy = rec.Data[0] == copyVersion
	err = json.Unmarshal(rec.Data[1:], &st)
	if err == nil {
		err = st.check()
	}
	if err != nil {
		return st, fmt.Errorf("%w: %w", ErrVersion, err)
	}
	if p := st.Presence; p != nil && (len(p.Activities) == 0 || p.Activities[0] != '[') {
		p.Activities = nil // was written as null
	}
	return st, nil
}

// maxStoredSequence leaves sequences that a JSON number can be.
const maxStoredSequence = 1 << 52

func (st *stored) check() error {
	if st.Acked < firstSequence || st.Acked > maxStoredSequence || st.Numbered < 0 || st.Numbered > len(st.Events) {
		return fmt.Errorf("marks %d and %d of %d events make no sense", st.Acked, st.Numbered, len(st.Events))
	}
	for _, ev := range st.Events {
		if err := ev.check(); err != nil {
			return err
		}
	}
	for _, o := range st.Orders {
		if o.What != orderSubscribe && o.What != orderUnsubscribe {
			return fmt.Errorf("an order to %q", o.What)
		}
	}
	for _, r := range st.Replies {
		if err := codec.CheckJSON(r.Data, ours); err != nil {
			return fmt.Errorf("reply to %q: %w", r.Command, err)
		}
	}
	return nil
}

// drift is how far the wall clock, which gateways of several processes share,
// is ahead of this one's time, in nanoseconds.
func (g *Gateway) drift() int64 { return time.Now().UnixNano() - g.now().UnixNano() }

// restore makes a detached session of a record, without its topics.
func (g *Gateway) restore(id string, user User, st stored) *Session {
	who := Identify{Intents: st.Intents, Shard: st.Shard, LargeThreshold: st.LargeThreshold, Presence: st.Presence, properties: st.Properties}
	s := g.makeSession(id, user, who)
	if len(st.Replies) > 0 {
		s.replies = new(replies)
		s.replies.restore(st.Replies)
	}
	if len(st.Orders) > 0 {
		s.inTransit().orders = st.Orders
	}
	s.setDetached(g.now().UnixNano())
	events := make([]*published, len(st.Events))
	for i, ev := range st.Events {
		events[i] = g.received(ev.record())
		events[i].at = ev.At - g.drift()
	}
	s.ring.restore(st.Acked, events[:st.Numbered], events[st.Numbered:])
	return s
}
