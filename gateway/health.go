package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// Checker is what a [Broker], a [SessionStore], a [Limiter] or a presence.Store may
// be beside: one that knows whether it can do now what it is for. The gateway asks
// it once a second; while the answer is an error the gateway is degraded.
type Checker interface {
	// Err says why it cannot, or returns nil. It returns at once, as whoever calls
	// it looks after every client's deadlines: it says what is known, and asks no
	// server. Several goroutines may call it at once.
	Err() error
}

// Trouble is a part of which a gateway does without, for now.
type Trouble struct {
	Part  string    // "broker", "sessions", "limiter" or "presence", as Options have them
	Err   error     // why, as of the last look
	Since time.Time // when the gateway noticed
}

// health is what the gateway knows of its parts. Its clock looks at them.
type health struct {
	parts []checked // static after construction

	mu       sync.Mutex // never held while anything else is locked
	troubles []Trouble  // in the order of parts; never changed, only replaced
}

// checked is a part that is looked at.
type checked struct {
	name string
	err  func() error
}

// openHealth notes what can be asked how it is. The parts are there.
func (g *Gateway) openHealth() {
	add := func(name string, part any, more ...func() error) {
		if c, ok := part.(Checker); ok {
			more = append([]func() error{c.Err}, more...)
		}
		if len(more) > 0 {
			g.health.parts = append(g.health.parts, checked{name, func() error { return firstOf(more) }})
		}
	}
	add("broker", g.opts.Broker)
	if g.opts.Sessions != nil {
		add("sessions", g.opts.Sessions, g.lease.failed.get, g.copies.failed.get)
	}
	add("limiter", g.opts.Limiter)
	if people := g.people; people != nil {
		add("presence", people.Store, people.failed.get)
	}
}

// firstOf is the first error that there is.
func firstOf(all []func() error) error {
	for _, err := range all {
		if err := err(); err != nil {
			return err
		}
	}
	return nil
}

// people is the store of presence that nodes share, as the tracker is given it: it
// notes how reading goes, which is done ten times a second.
type people struct {
	presence.Store
	failed lastError
}

// Since is of presence.Store.
func (p *people) Since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	changed, next, err := p.Store.Since(ctx, cursor)
	p.failed.set(err)
	return changed, next, err
}

// look looks at every part, and says what has changed.
func (g *Gateway) look(now time.Time) {
	before := g.Degraded()
	var troubles []Trouble
	for _, part := range g.health.parts {
		i := slices.IndexFunc(before, func(t Trouble) bool { return t.Part == part.name })
		switch err := part.err(); {
		case err != nil && i >= 0:
			troubles = append(troubles, Trouble{part.name, err, before[i].Since})
		case err != nil:
			troubles = append(troubles, Trouble{part.name, err, now})
			g.log.Warn("degraded: a part does not work", "part", part.name, "error", err)
		case i >= 0:
			g.log.Info("a part works again", "part", part.name, "after", now.Sub(before[i].Since).Round(time.Second))
		}
	}
	g.health.mu.Lock()
	defer g.health.mu.Unlock()
	g.health.troubles = troubles
}

// Degraded returns the parts that do not work now, as of a second ago at most;
// none: all is well. A degraded gateway serves whom it has, and whoever comes, as
// well as it can: what a broker carries comes late, and a node that is killed
// while its sessions are not copied loses what is new of them. Who balances had
// better send new connections elsewhere. The slice is nobody's to change.
func (g *Gateway) Degraded() []Trouble {
	g.health.mu.Lock()
	defer g.health.mu.Unlock()
	return g.health.troubles
}

// Health returns nil while the gateway takes new connections, degraded or not,
// and ErrClosed from the moment that Shutdown was called.
func (g *Gateway) Health() error {
	if g.draining.Load() {
		return ErrClosed
	}
	return nil
}

// ServeHealth answers a load balancer: 200 while Health is nil, else 503. The first
// word of the answer is "ok", "degraded" or "draining". Of a degraded gateway a line
// follows for each part that does not work, with the time since when; why not, which may
// name servers, is in the log and in Degraded.
func (g *Gateway) ServeHealth(w http.ResponseWriter, _ *http.Request) {
	if g.Health() != nil {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	troubles := g.Degraded()
	if len(troubles) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	fmt.Fprintln(w, "degraded")
	for _, t := range troubles {
		fmt.Fprintln(w, t.Part, "since", t.Since.UTC().Format(time.RFC3339))
	}
}

// lastError is how it went the last time. The zero value is well.
type lastError struct {
	mu  sync.Mutex
	err error
}

func (l *lastError) set(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *lastError) get() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
