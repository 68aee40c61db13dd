package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// storedVersion is the format of StoredSession.Data: this byte, then JSON. A
// rolling deploy runs two versions at once: fields may be added, the byte
// changes when an older reader would be wrong.
const storedVersion = 1

// stored is a session on its way through a SessionStore. What it holds is saved
// as bytes, what it has not been appended yet as positions in the broker's
// history: who may see an event was decided when it was appended.
type stored struct {
	Properties     map[string]any  `json:"properties,omitempty"`
	Intents        Intent          `json:"intents"`
	Shard          *[2]int         `json:"shard,omitempty"`
	LargeThreshold int             `json:"large_threshold,omitempty"`
	Presence       *PresenceUpdate `json:"presence,omitempty"`

	Acked    uint64        `json:"acked"`    // the sequence of the first event
	Numbered int           `json:"numbered"` // events that have their sequence; the others follow
	Events   []storedEvent `json:"events,omitempty"`
	Topics   []storedTopic `json:"topics,omitempty"`
	Replies  []reply       `json:"replies,omitempty"`
}

type storedEvent struct {
	Topic  string          `json:"topic,omitempty"`
	Type   string          `json:"type"`
	Key    string          `json:"key,omitempty"`
	Intent Intent          `json:"intent,omitempty"`
	Class  Class           `json:"class,omitempty"`
	At     int64           `json:"at"` // Unix nanoseconds
	Data   json.RawMessage `json:"data"`
}

// storedTopic is a subscription, and how far its topic was seen.
type storedTopic struct {
	Name string   `json:"name"`
	At   Position `json:"at"`
}

// snapshot is the session's record, but for its topics. mu is held.
func (s *Session) snapshot() stored {
	st := stored{
		Properties: s.identify.Properties, Intents: s.identify.Intents, Shard: s.identify.Shard,
		LargeThreshold: s.identify.LargeThreshold, Presence: s.presence,
		Acked: s.ring.acked, Numbered: int(s.ring.sent - s.ring.head), Replies: s.replies.last,
	}
	drift := s.gw.drift()
	for p := range s.ring.all() {
		st.Events = append(st.Events, storedEvent{p.Topic, p.Type, p.Key, p.Intent, p.Class, p.at + drift, p.Data})
	}
	return st
}

func (s *Session) encode(st stored, expires time.Time) (StoredSession, error) {
	data, err := json.Marshal(st)
	if err != nil {
		return StoredSession{}, fmt.Errorf("encode session: %w", err)
	}
	return StoredSession{ID: s.id, User: s.user.ID, Expires: expires, Data: append([]byte{storedVersion}, data...)}, nil
}

var errStoredVersion = errors.New("gateway: a session was stored by a version that this one does not understand")

func decodeStored(rec StoredSession) (st stored, err error) {
	if len(rec.Data) == 0 || rec.Data[0] != storedVersion {
		return st, errStoredVersion
	}
	if err := json.Unmarshal(rec.Data[1:], &st); err != nil {
		return st, fmt.Errorf("decode session: %w", err)
	}
	if st.Acked < firstSequence || st.Numbered < 0 || st.Numbered > len(st.Events) {
		return st, fmt.Errorf("decode session: marks %d and %d of %d events make no sense", st.Acked, st.Numbered, len(st.Events))
	}
	return st, nil
}

// drift is how far the wall clock, which gateways of several processes share,
// is ahead of this one's time, in nanoseconds.
func (g *Gateway) drift() int64 { return time.Now().UnixNano() - g.now().UnixNano() }

// restore makes a detached session of a record, without its topics.
func (g *Gateway) restore(id string, user User, st stored) *Session {
	s := g.makeSession(id, user, Identify{
		Properties: st.Properties, Intents: st.Intents, Shard: st.Shard, LargeThreshold: st.LargeThreshold, Presence: st.Presence,
	})
	s.presence = st.Presence
	s.replies.restore(st.Replies)
	s.setDetached(g.now().UnixNano())
	events := make([]*published, len(st.Events))
	for i, ev := range st.Events {
		events[i] = g.received(Record{Topic: ev.Topic, Type: ev.Type, Key: ev.Key, Data: ev.Data, Intent: ev.Intent, Class: ev.Class})
		events[i].at = ev.At - g.drift()
	}
	s.ring.restore(st.Acked, events[:st.Numbered], events[st.Numbered:])
	return s
}
