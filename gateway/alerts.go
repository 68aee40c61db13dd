package gateway

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/alert"
)

// Thresholds say when Options.OnAlert is called. Zero is the default named
// beside each field; a negative value switches an alert off.
type Thresholds struct {
	ConnectSuccess float64       // share of connections that are upgraded, below: 0.95; of the last half minute, if there were at least 20
	Latency        time.Duration // p95 from an event's arrival to its last write, above: 100 ms
	Queue          int           // events that wait to be fanned out, above: 1,000
	Memory         float64       // share of the limit that the process uses, above: 0.80

	For        time.Duration // how long it is so before the alert fires: 10 s
	RecoverFor time.Duration // how long it is well again, by a tenth, before the alert recovers: 30 s
}

// Alert is a threshold that was crossed, for long enough, or is well again.
type Alert struct {
	Name      string // "connect_success", "latency_p95", "queue" or "memory"
	Firing    bool   // false: recovered
	Value     float64
	Threshold float64 // in the unit of Value: a share, seconds, events, a share
	Since     time.Time
}

func (t Thresholds) withDefaults() Thresholds {
	if t.ConnectSuccess == 0 {
		t.ConnectSuccess = 0.95
	}
	if t.Latency == 0 {
		t.Latency = 100 * time.Millisecond
	}
	if t.Queue == 0 {
		t.Queue = 1000
	}
	if t.Memory == 0 {
		t.Memory = 0.80
	}
	if t.For == 0 {
		t.For = 10 * time.Second
	}
	if t.RecoverFor == 0 {
		t.RecoverFor = 30 * time.Second
	}
	t.For, t.RecoverFor = max(t.For, 0), max(t.RecoverFor, 0)
	return t
}

// rules are the thresholds as the evaluator wants them, in the order of values.
// One that is off can never be bad.
func (t Thresholds) rules() []alert.Rule {
	above := func(name string, threshold float64) alert.Rule {
		if threshold < 0 {
			return alert.Rule{Name: name, Threshold: math.Inf(1), RecoverAt: math.Inf(1)}
		}
		return alert.Rule{Name: name, Threshold: threshold, RecoverAt: threshold * 0.9, For: t.For, RecoverFor: t.RecoverFor}
	}
	success := alert.Rule{Name: "connect_success", Direction: alert.Below, Threshold: t.ConnectSuccess,
		RecoverAt: t.ConnectSuccess + (1-t.ConnectSuccess)/10, For: t.For, RecoverFor: t.RecoverFor}
	if t.ConnectSuccess < 0 {
		success.RecoverAt = t.ConnectSuccess
	}
	return []alert.Rule{success, above("latency_p95", t.Latency.Seconds()), above("queue", float64(t.Queue)), above("memory", t.Memory)}
}

// minAttempts is how many connections a success rate is a rate of, at least.
const minAttempts = 20

// successWindow is of how many seconds a success rate is.
const successWindow = 30

// monitor looks at the gateway once a second, on the clock's goroutine.
type monitor struct {
	evaluator *alert.Evaluator
	next      time.Time

	// What had been accepted and refused, a second at a time.
	accepted, refused [successWindow + 1]uint64
	at                int

	attempts, good atomic.Uint64 // in the window
}

// second does what is done once a second.
func (g *Gateway) second(now time.Time) {
	m := &g.monitor
	if now.Before(m.next) && m.next.Sub(now) <= time.Second {
		return
	}
	m.next = now.Add(time.Second)
	c := &g.stats
	c.latency.Tick(now)
	c.commandTime.Tick(now)
	m.rates(c.accepted.Load(), c.refusals.Load())
	used, limit := g.memory.sample()
	g.relieve(used, limit)
	g.look(now)

	queued, _ := g.queues()
	values := []float64{math.NaN(), c.latency.Recent().Quantile(0.95).Seconds(), float64(queued), math.NaN()}
	if m.attempts.Load() >= minAttempts {
		values[0] = m.success()
	}
	if limit > 0 {
		values[3] = float64(used) / float64(limit)
	}
	for _, ev := range m.evaluator.Evaluate(now, values) {
		g.tellAlert(ev)
	}
}

func (g *Gateway) tellAlert(ev alert.Event) {
	a := Alert{Name: ev.Rule.Name, Firing: ev.State == alert.Fired, Value: ev.Value, Threshold: ev.Rule.Threshold, Since: ev.Since}
	if a.Firing {
		g.log.Warn("alert", "name", a.Name, "value", a.Value, "threshold", a.Threshold)
	} else {
		g.log.Info("alert recovered", "name", a.Name, "value", a.Value, "fired for", ev.Fired)
	}
	if hook := g.opts.OnAlert; hook != nil {
		g.chores.Go(&g.alerts, 0, func() { g.guard(func() { hook(a) }, nil) })
	}
}

// rates notes what was accepted and refused up to now.
func (m *monitor) rates(accepted, refused uint64) {
	m.at = (m.at + 1) % len(m.accepted)
	good, bad := accepted-m.accepted[m.at], refused-m.refused[m.at]
	m.accepted[m.at], m.refused[m.at] = accepted, refused
	m.attempts.Store(good + bad)
	m.good.Store(good)
}

// success is the share of the window's connections that were upgraded.
func (m *monitor) success() float64 {
	attempts := m.attempts.Load()
	if attempts == 0 {
		return 1
	}
	return float64(m.good.Load()) / float64(attempts)
}
