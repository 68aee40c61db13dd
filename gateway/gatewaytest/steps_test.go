package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

func (s *schedule) step() {
	p := s.players[s.rng.IntN(len(s.players))]
	switch n := s.rng.IntN(100); {
	case n < 40:
		s.publish()
	case n < 52:
		s.subscriptions(p)
	case n < 70:
		s.disturb(p)
	case n < 84:
		s.connect(p, true)
	case n < 88:
		s.takeOver(p)
	case n < 96:
		if !s.kills { // a reply may die with its node, and a command come again
			s.command(p)
		}
	case n < 98:
		if c := p.client(); c.Connected() {
			s.logf("%s: heartbeat", p.name)
			s.beside(func() { c.Heartbeat() })
		}
	case s.kills:
		s.kill()
	default:
		if s.chance(3) {
			s.drain()
		}
	}
}

func (s *schedule) gateway() *gateway.Gateway {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gw
}

func (s *schedule) session(p *player) (m mortal, ok bool) {
	id := p.client().Session()
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok = s.sessions[id]
	return m, ok
}

// event draws one of any class, intent and size.
func (s *schedule) event() gateway.Event {
	ev := gateway.Event{Type: "EVENT", Data: s.rng.IntN(1000)}
	switch s.rng.IntN(5) {
	case 0:
		ev.Class, ev.Key = gateway.Conflate, fmt.Sprint("key", s.rng.IntN(4))
	case 1:
		ev.Class = gateway.Volatile
	}
	if s.chance(4) {
		ev.Intent = []gateway.Intent{gateway.IntentGuilds, gateway.IntentGuildMessages, gateway.IntentGuildMembers}[s.rng.IntN(3)]
	}
	if s.chance(6) {
		ev.Data = strings.Repeat("as long as it takes ", 10+s.rng.IntN(60))
	}
	return ev
}

// publish publishes some events to a topic, or sends them to a session, now or
// beside what follows.
func (s *schedule) publish() {
	topic := s.topics[s.rng.IntN(len(s.topics))]
	n := 1 + s.rng.IntN(8)
	if s.tight && s.chance(4) {
		n += s.rng.IntN(60)
	}
	evs := make([]gateway.Event, n)
	for i := range evs {
		evs[i] = s.event()
	}
	gw := s.gateway()
	publish := func() {
		for _, ev := range evs {
			if err := s.oracle.Publish(s.t.Context(), gw, topic, ev); err != nil && !errors.Is(err, gateway.ErrClosed) && !errors.Is(err, errKilled) {
				s.wrong("publish: %v", err)
			}
		}
	}
	if session, ok := s.session(s.players[s.rng.IntN(len(s.players))]); ok && s.chance(8) && !s.copiesAreUsed() {
		topic = "one session"
		publish = func() {
			for _, ev := range evs {
				if err := s.oracle.Send(s.t.Context(), session, ev); err != nil && !errors.Is(err, gateway.ErrClosed) {
					s.wrong("send: %v", err)
				}
			}
		}
	}
	s.logf("publish %d to %s", n, topic)
	if s.chance(2) {
		s.beside(publish)
	} else {
		publish()
	}
}

// subscriptions changes one of a session's.
func (s *schedule) subscriptions(p *player) {
	session, ok := s.session(p)
	topic := s.topics[s.rng.IntN(len(s.topics))]
	how := s.rng.IntN(4)
	beside := s.chance(2)
	if !ok {
		return
	}
	change := func() {
		ctx := s.t.Context()
		var err error
		switch how {
		case 0:
			err = s.oracle.Unsubscribe(ctx, session, topic)
		case 1:
			err = s.oracle.UnsubscribePurge(ctx, session, topic)
		default:
			err = s.oracle.Subscribe(ctx, session, topic)
		}
		if err != nil && !errors.Is(err, gateway.ErrClosed) && !errors.Is(err, errKilled) {
			s.wrong("%s: change of subscription: %v", p.name, err)
		}
	}
	s.logf("%s: %s %s", p.name, []string{"unsubscribe", "purge", "subscribe", "subscribe"}[how], topic)
	if beside {
		s.beside(change)
	} else {
		change()
	}
}

// disturb has something go wrong with a player's connection.
func (s *schedule) disturb(p *player) {
	l := p.client().Link()
	bytes, how := s.rng.IntN(500), s.rng.IntN(12)
	pause := time.Duration(s.rng.IntN(15000)) * time.Millisecond
	if s.chance(2) {
		pause /= 20
	}
	if !l.Alive() || l.ID() == 0 {
		return
	}
	what := ""
	switch how {
	case 0, 1:
		what = "kill"
		s.did.drops++
		l.Kill()
	case 2:
		what = fmt.Sprintf("kill after %d bytes", bytes)
		s.did.drops++
		l.KillAfterSent(bytes)
	case 3:
		what = fmt.Sprintf("kill after %d bytes received", bytes/8)
		s.did.drops++
		l.KillAfterReceived(bytes / 8)
	case 4:
		what = fmt.Sprintf("partition for %v", pause)
		l.Partition()
		time.AfterFunc(pause, l.Heal)
	case 5:
		what = fmt.Sprintf("stall for %v", pause)
		l.Stall()
		time.AfterFunc(pause, l.Heal)
	case 6:
		what = fmt.Sprintf("squeeze to %d bytes for %v", 1+bytes/8, pause)
		l.Squeeze(1 + bytes/8)
		time.AfterFunc(pause, l.Heal)
	case 7, 8:
		what = fmt.Sprintf("short after %d bytes, for %v", bytes, pause/10)
		s.did.shorts++
		l.Short(bytes, pause/10)
	case 9:
		what = "short, and killed there"
		s.did.shorts++
		s.did.drops++
		l.Short(bytes, pause/10)
		time.AfterFunc(pause/20, l.Kill)
	case 10, 11:
		what = fmt.Sprintf("lagging by %v, short after %d bytes", pause/40, bytes)
		l.Lag(pause / 40)
		l.Short(bytes, pause/40)
		time.AfterFunc(pause, l.Heal)
	}
	s.logf("%s: link %d: %s", p.name, l.ID(), what)
}

// drain has a new gateway take over from the present one.
func (s *schedule) drain() {
	s.mu.Lock()
	old := s.gw
	busy := s.drains > 0 || s.gateways > 3
	if !busy {
		s.drains++
		s.did.drains++
	}
	s.mu.Unlock()
	if busy {
		return
	}
	early := s.chance(2)
	s.logf("drain gateway %d", s.gateways)
	next := s.newGateway()
	if early {
		old.HandTo(next)
	}
	s.beside(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := old.Shutdown(ctx); err != nil {
			s.wrong("drain: %v", err)
		}
		s.logf("drained")
		s.mu.Lock()
		s.drains--
		s.mu.Unlock()
	})
	if !early {
		s.sleep(time.Duration(s.rng.IntN(500)) * time.Millisecond)
		old.HandTo(next)
	}
}
