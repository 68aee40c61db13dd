package alert

import (
	"fmt"
	"math"
	"time"
)

// Direction is the side of a threshold that is bad.
type Direction uint8

const (
	Above Direction = iota // too much is bad: a latency
	Below                  // too little is bad: what is free
)

// Rule says when a value is bad. Between Threshold and RecoverAt it is neither
// bad nor good: an alert that fires stays, and one that does not stays so.
type Rule struct {
	Name       string        // unique among the rules of an evaluator
	Threshold  float64       // beyond it, not at it, is bad
	Direction  Direction     //
	For        time.Duration // how long the value is bad, at every evaluation, before the alert fires; 0: at once
	RecoverAt  float64       // on the good side of it, or at it, is good
	RecoverFor time.Duration // how long the value is good before the alert recovers; 0: at once
}

func (r *Rule) bad(v float64) bool {
	if r.Direction == Below {
		return v < r.Threshold
	}
	return v > r.Threshold
}

func (r *Rule) good(v float64) bool {
	if r.Direction == Below {
		return v >= r.RecoverAt
	}
	return v <= r.RecoverAt
}

// State is where an event leads.
type State uint8

const (
	Recovered State = iota // also what a rule begins as
	Fired
)

func (s State) String() string {
	if s == Fired {
		return "fired"
	}
	return "recovered"
}

// Event is a change of one alert.
type Event struct {
	Rule  Rule
	State State
	Value float64       // what decided
	At    time.Time     // when that was
	Since time.Time     // since when the value had been that way
	Fired time.Duration // of a recovery: for how long the alert had fired
}

// Evaluator holds the state of some rules. It is pure: no clock, no lock. One
// caller at a time.
type Evaluator struct {
	alerts []alert
	last   time.Time
}

type alert struct {
	Rule
	state   State
	pending bool      // the value is on the side that changes the state
	since   time.Time // and has been since; while pending
	fired   time.Time // while the state is Fired
}

// New returns an evaluator of rules none of which has fired. It panics on rules
// that contradict themselves: a name used twice, a threshold that is no number,
// a RecoverAt on the bad side of Threshold.
func New(rules ...Rule) *Evaluator {
	names := make(map[string]bool, len(rules))
	e := &Evaluator{alerts: make([]alert, len(rules))}
	for i, r := range rules {
		switch {
		case names[r.Name]:
			panic(fmt.Sprintf("alert: two rules are called %q", r.Name))
		case math.IsNaN(r.Threshold) || math.IsNaN(r.RecoverAt):
			panic(fmt.Sprintf("alert: a threshold of %q is not a number", r.Name))
		case r.bad(r.RecoverAt):
			panic(fmt.Sprintf("alert: %q would recover while it is bad", r.Name))
		case r.For < 0 || r.RecoverFor < 0:
			panic(fmt.Sprintf("alert: a duration of %q is negative", r.Name))
		}
		names[r.Name] = true
		e.alerts[i].Rule = r
	}
	return e
}

// Evaluate looks at the values of all rules, in their order, as they are now,
// and returns what changed. NaN, or a value that is missing at the end, is no
// data: the state stays, and so does the time that a value has been bad or good
// for. A clock that went backwards restarts those times: alerts come late
// rather than too early.
func (e *Evaluator) Evaluate(now time.Time, values []float64) []Event {
	back := now.Before(e.last)
	e.last = now
	var events []Event
	for i := range e.alerts {
		a := &e.alerts[i]
		if back {
			a.rewind(now)
		}
		if i < len(values) && !math.IsNaN(values[i]) {
			if ev, changed := a.see(now, values[i]); changed {
				events = append(events, ev)
			}
		}
	}
	return events
}

// rewind makes no time lie in the future.
func (a *alert) rewind(now time.Time) {
	if a.since.After(now) {
		a.since = now
	}
	if a.fired.After(now) {
		a.fired = now
	}
}

func (a *alert) see(now time.Time, v float64) (Event, bool) {
	turned, hold := a.bad(v), a.For
	if a.state == Fired {
		turned, hold = a.good(v), a.RecoverFor
	}
	switch {
	case !turned:
		a.pending = false
		return Event{}, false
	case !a.pending:
		a.pending, a.since = true, now
	}
	if now.Sub(a.since) < hold {
		return Event{}, false
	}
	ev := Event{Rule: a.Rule, Value: v, At: now, Since: a.since}
	if a.pending = false; a.state == Fired {
		ev.Fired = now.Sub(a.fired)
	} else {
		ev.State, a.fired = Fired, now
	}
	a.state = ev.State
	return ev, true
}

// Firing is how many alerts have fired and not recovered.
func (e *Evaluator) Firing() (n int) {
	for i := range e.alerts {
		n += int(e.alerts[i].state)
	}
	return n
}
