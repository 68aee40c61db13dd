package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// script plays a server, a good one or a bad one, to an oracle: what is
// published goes nowhere, and the test says what the client receives.
type script struct {
	t       *testing.T
	o       *Oracle
	id      string
	intents gateway.Intent
	l       *line
	seq     uint64
	last    []byte // the data of what was published last
	fail    error  // of every call
	during  func() // runs inside the next call
}

func (s *script) ID() string              { return s.id }
func (s *script) Intents() gateway.Intent { return s.intents }

func (s *script) called() error {
	if f := s.during; f != nil {
		s.during = nil
		f()
	}
	return s.fail
}

func (s *script) Subscribe(context.Context, ...string) error        { return s.called() }
func (s *script) Unsubscribe(context.Context, ...string) error      { return s.called() }
func (s *script) UnsubscribePurge(context.Context, ...string) error { return s.called() }

func (s *script) Send(_ context.Context, ev gateway.Event) error {
	s.last = ev.Data.(codec.Raw).JSON
	return s.called()
}

func (s *script) Publish(_ context.Context, _ string, ev gateway.Event) error {
	s.last = ev.Data.(codec.Raw).JSON
	return s.called()
}

func newScript(t *testing.T, o *Oracle, id string) *script {
	s := &script{t: t, o: o, id: id, intents: gateway.IntentGuilds}
	s.connect()
	s.receive(Message{Type: "READY", Seq: 1, Data: fmt.Appendf(nil, `{"session_id":%q}`, id)})
	s.seq = 1
	return s
}

func (s *script) connect() { s.l = &line{oracle: s.o} }

func (s *script) receive(m Message) { s.l.receive(m) }

// see has the client receive something under the next sequence.
func (s *script) see(data []byte) {
	s.seq++
	s.receive(Message{Type: "T", Seq: s.seq, Data: data})
}

// resume drops the connection and resumes behind seq.
func (s *script) resume(seq uint64) {
	s.l.ended(errors.New("dropped"))
	s.connect()
	s.l.resuming(s.id, seq)
	s.seq = seq
}

func (s *script) subscribe(topic string)   { s.o.Subscribe(s.t.Context(), s, topic) }
func (s *script) unsubscribe(topic string) { s.o.Unsubscribe(s.t.Context(), s, topic) }
func (s *script) purge(topic string)       { s.o.UnsubscribePurge(s.t.Context(), s, topic) }

func (s *script) publish(topic string, ev gateway.Event) []byte {
	ev.Type = "T"
	s.o.Publish(s.t.Context(), s, topic, ev)
	return s.last
}

func (s *script) keep(topic string) []byte { return s.publish(topic, gateway.Event{Data: 7}) }

func (s *script) conflate(topic, key string) []byte {
	return s.publish(topic, gateway.Event{Class: gateway.Conflate, Key: key})
}

func TestOracle(t *testing.T) {
	volatile := gateway.Event{Class: gateway.Volatile}
	tests := []struct {
		name string
		play func(s *script)
		want string // what the report must contain; empty: nothing wrong
	}{
		{"all is well", func(s *script) {
			s.subscribe("a")
			s.see(s.keep("a"))
			s.see(s.keep("a"))
			s.receive(Message{Op: OpHeartbeatACK})
		}, ""},
		{"nothing of topics without a subscription", func(s *script) { s.keep("a") }, ""},
		{"an event did not come", func(s *script) {
			s.subscribe("a")
			s.keep("a")
		}, "lost 1,"},
		{"an event did not come, a later one did", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.see(s.keep("a"))
		}, "lost 1,"},
		{"a sequence is left out", func(s *script) {
			s.subscribe("a")
			one := s.keep("a")
			s.seq++
			s.see(one)
		}, "lost 2,"},
		{"a sequence is left out and comes after a resume", func(s *script) {
			s.subscribe("a")
			one, two := s.keep("a"), s.keep("a")
			s.seq++
			s.see(two)
			s.resume(1)
			s.see(one)
			s.see(two)
		}, "lost 1,"},
		{"an event comes twice", func(s *script) {
			s.subscribe("a")
			one := s.keep("a")
			s.see(one)
			s.see(one)
		}, "repeated 1,"},
		{"a sequence comes twice", func(s *script) {
			s.subscribe("a")
			one := s.keep("a")
			s.see(one)
			s.seq--
			s.see(one)
		}, "repeated 1,"},
		{"an event comes twice in one replay", func(s *script) {
			s.subscribe("a")
			one := s.keep("a")
			s.resume(1)
			s.see(one)
			s.see(one)
		}, "repeated 1,"},
		{"a client resumes below what it saw", func(s *script) {
			s.subscribe("a")
			one, two := s.keep("a"), s.keep("a")
			s.see(one)
			s.see(two)
			s.resume(2)
			s.see(two)
			s.receive(Message{Type: "RESUMED", Seq: 3})
		}, ""},
		{"a sequence becomes another event's", func(s *script) {
			s.subscribe("a")
			one, two := s.keep("a"), s.keep("a")
			s.see(one)
			s.resume(1)
			s.see(two)
			s.see(one)
		}, "altered 1,"},
		{"an event without a stamp becomes another", func(s *script) {
			s.see([]byte(`1`))
			s.resume(1)
			s.see([]byte(`2`))
		}, "altered 1,"},
		{"an event's data is changed", func(s *script) {
			s.subscribe("a")
			one := s.keep("a")
			s.see([]byte(strings.Replace(string(one), "7", "8", 1)))
		}, "altered 1,"},
		{"RESUMED comes early", func(s *script) {
			s.subscribe("a")
			s.see(s.keep("a"))
			two := s.keep("a")
			s.resume(2)
			s.receive(Message{Type: "RESUMED", Seq: 3})
			s.see(two)
		}, "lost 1,"},
		{"out of order", func(s *script) {
			s.subscribe("a")
			one, two := s.keep("a"), s.keep("a")
			s.see(two)
			s.see(one)
		}, "reordered 1,"},
		{"two topics are not ordered", func(s *script) {
			s.subscribe("a")
			s.subscribe("b")
			one, two := s.keep("a"), s.keep("b")
			s.see(two)
			s.see(one)
		}, ""},
		{"what was published at once may come in any order", func(s *script) {
			s.subscribe("a")
			var one, two []byte
			s.during = func() { two = s.keep("a") }
			s.keep("a") // last is the outer call's own afterwards, so it is read from the log
			one = s.o.topics["a"].events[0].data
			s.see(two)
			s.see(one)
		}, ""},
		{"but in the same for everybody", func(s *script) {
			other := newScript(s.t, s.o, "other")
			s.subscribe("a")
			other.subscribe("a")
			s.during = func() { s.keep("a") }
			s.keep("a")
			one, two := s.o.topics["a"].events[0].data, s.o.topics["a"].events[1].data
			s.see(two)
			s.see(one)
			other.see(one)
			other.see(two)
		}, "reordered 1,"},
		{"an order that no publishing has, over two sessions", func(s *script) {
			other := newScript(s.t, s.o, "other")
			s.subscribe("a")
			other.subscribe("a")
			var old, new []byte
			s.during = func() {
				old = s.publish("a", volatile)
				new = s.publish("a", volatile)
			}
			s.publish("a", volatile)
			outer := s.o.topics["a"].events[0].data
			s.see(new) // so the outer one is behind the new one …
			s.see(outer)
			other.see(outer) // … and here before the old one
			other.see(old)
		}, "reordered 1,"},
		{"volatile events vanish", func(s *script) {
			s.subscribe("a")
			s.publish("a", volatile)
			s.see(s.publish("a", volatile))
		}, ""},
		{"and are not late", func(s *script) {
			s.subscribe("a")
			one, two := s.publish("a", volatile), s.keep("a")
			s.see(two)
			s.see(one)
		}, "reordered 1,"},
		{"an older event of a key is left out", func(s *script) {
			s.subscribe("a")
			s.conflate("a", "k")
			other, newest := s.conflate("a", "l"), s.conflate("a", "k")
			s.see(newest)
			s.see(other)
		}, ""},
		{"the newest of a key is left out", func(s *script) {
			s.subscribe("a")
			s.see(s.conflate("a", "k"))
			s.conflate("a", "k")
		}, "lost 1,"},
		{"an older event of a key behind a newer", func(s *script) {
			s.subscribe("a")
			one, two := s.conflate("a", "k"), s.conflate("a", "k")
			s.see(two)
			s.see(one)
		}, "reordered 1,"},
		{"before Subscribe has returned, either way", func(s *script) {
			var one []byte
			s.during = func() { one = s.keep("a"); s.keep("a") }
			s.subscribe("a")
			s.see(one)
		}, ""},
		{"before Subscribe was called", func(s *script) {
			one := s.keep("a")
			s.subscribe("a")
			s.see(one)
		}, "stray 1"},
		{"published before Unsubscribe", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.unsubscribe("a")
		}, "lost 1,"},
		{"while Unsubscribe runs, either way", func(s *script) {
			s.subscribe("a")
			var one []byte
			s.during = func() { one = s.keep("a"); s.keep("a") }
			s.unsubscribe("a")
			s.see(one)
		}, ""},
		{"published after Unsubscribe", func(s *script) {
			s.subscribe("a")
			s.unsubscribe("a")
			s.see(s.keep("a"))
		}, "stray 1"},
		{"purged at its end", func(s *script) {
			s.subscribe("a")
			s.see(s.keep("a"))
			s.keep("a")
			s.purge("a")
		}, ""},
		{"purged in the middle", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.see(s.keep("a"))
			s.purge("a")
		}, "lost 1,"},
		{"purged of what came in an earlier subscription", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.unsubscribe("a")
			s.subscribe("a")
			s.purge("a")
			s.subscribe("a")
			s.see(s.keep("a"))
		}, ""},
		{"but for what must have had its number", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.unsubscribe("a")
			s.subscribe("a")
			s.see(s.keep("a"))
			s.purge("a")
		}, "lost 1,"},
		{"lost behind a purge", func(s *script) {
			s.subscribe("a")
			s.purge("a")
			s.subscribe("a")
			s.keep("a")
			s.see(s.keep("a"))
		}, "lost 1,"},
		{"subscribed again", func(s *script) {
			s.subscribe("a")
			s.purge("a")
			s.subscribe("a")
			s.subscribe("a")
			s.keep("a")
		}, "lost 1,"},
		{"calls that overlap prove nothing", func(s *script) {
			s.during = func() { s.unsubscribe("a") }
			s.subscribe("a")
			s.keep("a")
			s.see(s.keep("a"))
		}, ""},
		{"nor the other way round", func(s *script) {
			s.subscribe("a")
			s.during = func() { s.subscribe("a") }
			s.unsubscribe("a")
			s.keep("a")
			s.see(s.keep("a"))
		}, ""},
		{"a Subscribe that failed", func(s *script) {
			s.fail = errors.New("no")
			s.subscribe("a")
			s.fail = nil
			s.keep("a")
		}, ""},
		{"a Publish that failed", func(s *script) {
			s.subscribe("a")
			s.fail = errors.New("no")
			s.see(s.keep("a"))
			s.keep("a")
		}, ""},
		{"events that it has not asked for", func(s *script) {
			s.subscribe("a")
			s.publish("a", gateway.Event{Intent: gateway.IntentGuildMembers})
			s.see(s.publish("a", gateway.Event{Intent: gateway.IntentGuilds}))
		}, ""},
		{"seen all the same", func(s *script) {
			s.subscribe("a")
			s.see(s.publish("a", gateway.Event{Intent: gateway.IntentGuildMembers}))
		}, "stray 1"},
		{"sent to it alone, and lost", func(s *script) {
			s.o.Send(s.t.Context(), s, gateway.Event{Type: "T"})
		}, "lost 1,"},
		{"sent to somebody else", func(s *script) {
			other := newScript(s.t, s.o, "other")
			s.o.Send(s.t.Context(), s, gateway.Event{Type: "T"})
			s.see(s.last)
			other.see(s.last)
		}, "stray 1"},
		{"lost and told", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.resume(1)
			s.receive(Message{Op: OpInvalidSession, Data: []byte(`false`)})
		}, "told 1 (1 events), lost 0,"},
		{"told by a close", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.l.ended(&gateway.CloseError{Code: gateway.CloseTimedOut})
		}, "told 1 (1 events), lost 0,"},
		{"told, and resumed all the same", func(s *script) {
			s.subscribe("a")
			s.l.ended(&gateway.CloseError{Code: gateway.CloseAlreadyAuthenticated})
			s.keep("a")
			s.resume(1)
			s.receive(Message{Type: "RESUMED", Seq: 1})
		}, "told 0 (0 events), lost 1,"},
		{"a close that is no word about the session", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.l.ended(&gateway.CloseError{Code: gateway.CloseSlowConsumer})
		}, "told 0 (0 events), lost 1,"},
		{"bytes that are no frames", func(s *script) {
			s.l.ended(fmt.Errorf("%w: reserved bits", ErrProtocol))
		}, "altered 1,"},
		{"told, but there was a gap before", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.see(s.keep("a"))
			s.resume(2)
			s.receive(Message{Op: OpInvalidSession, Data: []byte(`false`)})
		}, "lost 1,"},
		{"ended by its client", func(s *script) {
			s.subscribe("a")
			s.keep("a")
			s.l.leaving()
		}, ""},
		{"a dispatch before READY", func(s *script) {
			s.connect()
			s.see([]byte(`1`))
		}, "stray 1"},
		{"READY twice", func(s *script) { newScript(s.t, s.o, "session") }, "altered 1,"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := NewOracle()
			tt.play(newScript(t, o, "session"))
			r := o.Check()
			if tt.want == "" && r.Err() != nil {
				t.Error(r.Err())
			}
			if !strings.Contains(r.String(), tt.want) {
				t.Errorf("want %q in: %v\n  %s", tt.want, r, strings.Join(r.Problems, "\n  "))
			}
			if r.Err() == nil && len(r.Problems) > 0 {
				t.Errorf("problems without an error: %q", r.Problems)
			}
		})
	}
}
