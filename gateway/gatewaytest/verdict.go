package gatewaytest

import (
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Check says what the sessions have seen of what they should have. Call it
// when every client has come back and nothing is under way; what a client that
// is away has not seen yet counts as lost.
func (o *Oracle) Check() Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.found
	r.Problems = slices.Clone(r.Problems)
	orders := make(map[stream]*precedence)
	for _, w := range o.inOrder {
		if !w.met {
			continue // its client never learned of it
		}
		r.Sessions++
		o.check(w, &r, orders)
	}
	for s, p := range orders {
		if e := p.contradiction(); e != nil {
			r.problem(&r.Reordered, "topic %q, key %q: sessions disagree on the order around %v", s.topic.name, s.key, e)
		}
	}
	return r
}

// stream is what is in order: the events of a topic, and apart from them those
// of each conflation key.
type stream struct {
	topic    *topicLog
	conflate bool
	key      string
}

func (e *stamped) stream() stream {
	if isConflated(e) {
		return stream{e.topic, true, e.event.Key}
	}
	return stream{topic: e.topic}
}

// check reads one session's history from its beginning.
func (o *Oracle) check(w *witness, r *Report, orders map[stream]*precedence) {
	seen := make(map[*stamped]bool)
	newest := make(map[stream]*stamped) // the seen event of the stream that was published last
	last := make(map[stream]*stamped)   // the one that was seen last
	for i, s := range w.history {
		switch {
		case !s.seen:
			r.problem(&r.Lost, "session %s: sequence %d never came", w.id, i+firstKept)
			continue
		case s.event == nil:
			continue
		case seen[s.event]:
			again := &r.Repeated
			if isConflated(s.event) {
				again = &r.Restated
			}
			r.problem(again, "session %s: %v again, as sequence %d", w.id, s.event, i+firstKept)
			continue
		}
		e, of := s.event, s.event.stream()
		seen[e] = true
		if !w.maySee(e) {
			r.problem(&r.Stray, "session %s: %v, which is not for it", w.id, e)
		}
		n := newest[of]
		if n == nil || e.began > n.began {
			newest[of] = e
		}
		if n != nil && e.before(n) {
			r.problem(&r.Reordered, "session %s: %v behind %v", w.id, e, n)
			continue
		}
		p := orders[of]
		if p == nil {
			p = new(precedence)
			orders[of] = p
		}
		if before := last[of]; before != nil {
			p.add(before, e)
		}
		last[of] = e
	}
	for topic, spans := range w.spans {
		if log := o.topics[topic]; log != nil {
			for _, sp := range spans {
				o.expect(w, log, sp, seen, newest, r)
			}
		}
	}
	if log := o.topics[privateTopic(w.id)]; log != nil {
		o.expect(w, log, &span{leaving: forever, gone: forever}, seen, newest, r)
	}
}

// maySee reports whether an event may be shown to the session.
func (w *witness) maySee(e *stamped) bool {
	if e.event.Intent != 0 && e.event.Intent&w.intents == 0 {
		return false
	}
	if e.topic.name == privateTopic(w.id) {
		return true
	}
	return slices.ContainsFunc(w.spans[e.topic.name], func(sp *span) bool { return sp.perhaps(e) })
}

// expect looks for what the session must have seen of a topic in one span.
func (o *Oracle) expect(w *witness, log *topicLog, sp *span, seen map[*stamped]bool, newest map[stream]*stamped, r *Report) {
	for _, e := range log.events {
		if !sp.surely(e) || e.failed || e.event.Intent != 0 && e.event.Intent&w.intents == 0 {
			continue
		}
		switch {
		case e.event.Class == gateway.Volatile:
			continue
		case isConflated(e):
			if n := newest[e.stream()]; n != nil && !n.before(e) {
				continue
			}
		case seen[e]:
			continue
		}
		switch {
		case w.purged(e, seen):
		case !isConflated(e) && overtaken(e, seen, forever):
			r.problem(&r.Lost, "session %s: %v, though later ones came", w.id, e)
		case w.left:
		case w.told != "":
			if e.ended < w.toldAt {
				r.LostTold++
			}
		default:
			r.problem(&r.Lost, "session %s: %v", w.id, e)
		}
	}
}

// purged reports whether a missing event may be missing because a purge found
// it waiting: one of this span or of a later one of the topic.
func (w *witness) purged(e *stamped, seen map[*stamped]bool) bool {
	return slices.ContainsFunc(w.spans[e.topic.name], func(sp *span) bool {
		return sp.purge && sp.gone > e.began && (isConflated(e) || !overtaken(e, seen, sp.leaving))
	})
}

// overtaken reports whether a later event of the topic, published before a
// time, was seen: what waits in front of it cannot be missing.
func overtaken(e *stamped, seen map[*stamped]bool, until uint64) bool {
	for _, later := range e.topic.events[e.n:] {
		if seen[later] && e.before(later) && later.ended < until && later.event.Class == gateway.Keep {
			return true
		}
	}
	return false
}
