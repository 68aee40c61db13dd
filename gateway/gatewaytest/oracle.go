package gatewaytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// Oracle knows what every session should have seen. It stamps what is
// published through it, learns of subscriptions that are made through it, and
// watches what clients with it in their options receive; then [Oracle.Check]
// says what was lost, repeated or out of order.
//
// Its clock counts calls: what it demands follows from which call had returned
// when another began, so publishes, subscriptions and drops may race at will.
// Its methods may be called by many goroutines at once.
type Oracle struct {
	mu       sync.Mutex
	clock    uint64
	topics   map[string]*topicLog
	sessions map[string]*witness
	inOrder  []*witness
	found    Report // what is noticed as it happens

	trace func(format string, args ...any) // for the schedules' own; nil: nobody listens
}

// NewOracle returns an oracle that has seen nothing.
func NewOracle() *Oracle {
	return &Oracle{topics: make(map[string]*topicLog), sessions: make(map[string]*witness)}
}

// Publisher is what the oracle publishes through: a *[gateway.Gateway].
type Publisher interface {
	Publish(ctx context.Context, topic string, ev gateway.Event) error
}

// Session is what the oracle subscribes: a *[gateway.Session].
type Session interface {
	ID() string
	Intents() gateway.Intent
	Subscribe(ctx context.Context, topics ...string) error
	Unsubscribe(ctx context.Context, topics ...string) error
	UnsubscribePurge(ctx context.Context, topics ...string) error
	Send(ctx context.Context, ev gateway.Event) error
}

var (
	_ Publisher = (*gateway.Gateway)(nil)
	_ Session   = (*gateway.Session)(nil)
)

// topicLog is all that was published to a topic, by stamp.
type topicLog struct {
	name   string
	events []*stamped
}

// stamped is an event that was published through the oracle.
type stamped struct {
	topic  *topicLog
	n      int // its place in topic.events
	event  gateway.Event
	data   []byte // as a client must see it
	began  uint64 // by the oracle's clock
	ended  uint64 // forever until the call has returned without an error
	failed bool   // it may have been published
}

const forever = 1<<64 - 1

// before reports whether e was published before f for certain.
func (e *stamped) before(f *stamped) bool { return e.ended < f.began }

func (e *stamped) String() string {
	return fmt.Sprintf("%s/%d (%s)", e.topic.name, e.n, e.event.Class)
}

// Publish stamps an event and publishes it. A client receives the data
// {topic, n, d}, where d is the event's own.
func (o *Oracle) Publish(ctx context.Context, p Publisher, topic string, ev gateway.Event) error {
	return o.stamp(topic, ev, func(ev gateway.Event) error { return p.Publish(ctx, topic, ev) })
}

// Send is Publish for an event that is sent to one session.
func (o *Oracle) Send(ctx context.Context, s Session, ev gateway.Event) error {
	o.mu.Lock()
	o.witness(s.ID()).intents = s.Intents()
	o.mu.Unlock()
	return o.stamp(privateTopic(s.ID()), ev, func(ev gateway.Event) error { return s.Send(ctx, ev) })
}

// privateTopic names the stream of what is sent to one session.
func privateTopic(session string) string { return "session " + session }

func (o *Oracle) stamp(topic string, ev gateway.Event, publish func(gateway.Event) error) error {
	own, err := codec.AppendJSON(nil, ev.Data)
	if err != nil {
		return err
	}
	name, err := codec.AppendJSON(nil, topic)
	if err != nil {
		return err
	}
	o.mu.Lock()
	log := o.topics[topic]
	if log == nil {
		log = &topicLog{name: topic}
		o.topics[topic] = log
	}
	e := &stamped{topic: log, n: len(log.events), event: ev, began: o.now(), ended: forever}
	e.data = fmt.Appendf(nil, `{"topic":%s,"n":%d,"d":%s}`, name, e.n, own)
	log.events = append(log.events, e)
	o.mu.Unlock()

	ev.Data = codec.Raw{JSON: e.data}
	err = publish(ev)

	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		e.failed = true
		return err
	}
	e.ended = o.now()
	o.found.Events++
	return nil
}

// now advances the clock. mu is held.
func (o *Oracle) now() uint64 {
	o.clock++
	return o.clock
}

// Subscribe subscribes a session, one topic after the other, and expects it to
// see what is published from then on. Where calls for one topic of one session
// overlap, nothing is expected of their outcome.
func (o *Oracle) Subscribe(ctx context.Context, s Session, topics ...string) error {
	for _, topic := range topics {
		o.mu.Lock()
		w := o.witness(s.ID())
		w.intents = s.Intents()
		sp := w.open(topic, o.now())
		o.mu.Unlock()

		err := s.Subscribe(ctx, topic)

		o.mu.Lock()
		if now := o.now(); err == nil && !sp.unsure && sp.since == forever {
			sp.since = now
		}
		o.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// Unsubscribe ends subscriptions: what was published before is still expected.
func (o *Oracle) Unsubscribe(ctx context.Context, s Session, topics ...string) error {
	return o.unsubscribe(ctx, s, s.Unsubscribe, false, topics)
}

// UnsubscribePurge ends subscriptions: what was published before may be
// missing at its end.
func (o *Oracle) UnsubscribePurge(ctx context.Context, s Session, topics ...string) error {
	return o.unsubscribe(ctx, s, s.UnsubscribePurge, true, topics)
}

func (o *Oracle) unsubscribe(ctx context.Context, s Session, call func(context.Context, ...string) error, purge bool, topics []string) error {
	for _, topic := range topics {
		o.mu.Lock()
		sp := o.witness(s.ID()).close(topic, o.now(), purge)
		o.mu.Unlock()

		err := call(ctx, topic)

		o.mu.Lock()
		if err == nil && sp != nil {
			sp.gone = o.now()
		}
		o.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// witness returns what is known of a session. mu is held.
func (o *Oracle) witness(id string) *witness {
	w := o.sessions[id]
	if w == nil {
		w = &witness{id: id, spans: make(map[string][]*span)}
		o.sessions[id] = w
		o.inOrder = append(o.inOrder, w)
	}
	return w
}

// find returns the event that a client's data names, or nil. mu is held.
func (o *Oracle) find(data []byte) *stamped {
	if !bytes.HasPrefix(data, []byte(`{"topic":`)) {
		return nil
	}
	var st struct {
		Topic string `json:"topic"`
		N     *int   `json:"n"`
	}
	if json.Unmarshal(data, &st) != nil || st.N == nil {
		return nil
	}
	log := o.topics[st.Topic]
	if log == nil || *st.N < 0 || *st.N >= len(log.events) {
		return nil
	}
	return log.events[*st.N]
}
