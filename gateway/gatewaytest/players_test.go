package gatewaytest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// player is a client of the schedule.
type player struct {
	name string

	mu       sync.Mutex
	c        *Client
	old      []*Client // whose session c has taken over
	busy     bool      // somebody connects it
	contests int       // times that the session was taken from a live connection
	nonce    int
	open     map[int]string // nonces of commands without a reply, and the session they were sent on
}

func (p *player) client() *Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.c
}

// newClient returns a client that speaks in any way.
func (s *schedule) newClient(p *player) *Client {
	o := ClientOptions{Token: p.name, Ext: true, Positions: s.places, Seed: s.rng.Uint64(), Oracle: s.oracle, Version: 9 + s.rng.IntN(2)}
	for _, intent := range []gateway.Intent{gateway.IntentGuilds, gateway.IntentGuildMessages, gateway.IntentGuildMembers} {
		if s.chance(2) {
			o.Intents |= intent
		}
	}
	if s.chance(2) {
		o.Dictionary = codec.DefaultDictionary()
	}
	c := s.network.Client(s.t, o)
	s.speak(c)
	return c
}

// speak chooses how a client's next connection speaks.
func (s *schedule) speak(c *Client) {
	switch s.rng.IntN(6) {
	case 0:
		c.Speak("msgpack", "")
	case 1, 2:
		c.Speak("msgpack", "lz4")
	case 3:
		c.Speak("json", "zlib-stream")
	default:
		c.Speak("json", "")
	}
}

// connect brings a player back that has no connection, beside what follows.
func (s *schedule) connect(p *player, faults bool) {
	wait := time.Duration(1+s.rng.IntN(40)) * time.Millisecond
	if s.tight && s.chance(2) {
		wait = 0 // so that the old connection may not have ended yet
	}
	dropAfter, below := -1, uint64(0)
	if faults && s.chance(4) {
		dropAfter = s.rng.IntN(600)
	}
	if faults && s.chance(4) && !s.copiesAreUsed() {
		below = uint64(1 + s.rng.IntN(10))
	}
	p.mu.Lock()
	c, old := p.c, p.old
	free := !p.busy && !c.Connected()
	if free {
		p.busy, p.old = true, nil
	}
	p.mu.Unlock()
	if !free {
		return
	}
	for _, c := range old {
		c.Drop()
	}
	s.speak(c)
	s.beside(func() {
		s.sleep(wait)
		s.signIn(p, c, dropAfter, below)
		p.mu.Lock()
		p.busy = false
		p.mu.Unlock()
	})
}

// signIn connects a client and resumes, or identifies when it has no session.
func (s *schedule) signIn(p *player, c *Client, dropAfter int, below uint64) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		s.logf("%s: not connected: %v", p.name, err)
		return
	}
	l := c.Link()
	if dropAfter >= 0 {
		l.KillAfterSent(dropAfter) // in the middle of READY, or of a replay
	}
	if c.Session() == "" {
		_, err := c.Identify(ctx)
		s.logf("%s: link %d: identify: %v, session %.6s", p.name, l.ID(), err, c.Session())
		return
	}
	seq := c.Seq()
	if from := max(seq-min(below, seq), c.Acked(), 1); from < seq {
		s.mu.Lock()
		s.did.below++
		s.mu.Unlock()
		seq = from
	}
	s.logf("%s: link %d: resume %.6s from %d of %d, killed after %d bytes", p.name, l.ID(), c.Session(), seq, c.Seq(), dropAfter)
	c.ResumeFrom(ctx, seq)
	if c.becomesReady(ctx) {
		s.commandsAgain(p, c)
	}
}

// takeOver has a second connection resume a player's session while the first
// one lives.
func (s *schedule) takeOver(p *player) {
	lag, bytes := time.Duration(s.rng.IntN(200))*time.Millisecond, s.rng.IntN(300)
	lagging := s.chance(2)
	p.mu.Lock()
	if s.copiesAreUsed() || p.busy || p.c.Session() == "" || !p.c.Connected() || !s.tight && p.contests >= 2 {
		p.mu.Unlock()
		return
	}
	c := s.newClient(p)
	c.Adopt(p.c)
	p.old = append(p.old, p.c)
	p.c, p.busy = c, true
	p.contests++
	p.mu.Unlock()
	s.did.takeovers++
	if l := p.old[len(p.old)-1].Link(); lagging { // in the middle of its writes
		l.Lag(lag)
		l.Short(bytes, lag)
		time.AfterFunc(2*lag, l.Heal)
		s.publish()
	}
	s.logf("%s: is taken over", p.name)
	s.beside(func() {
		s.signIn(p, c, -1, 0)
		p.mu.Lock()
		p.busy = false
		p.mu.Unlock()
	})
}

// command has a player send a command.
func (s *schedule) command(p *player) {
	c := p.client()
	if !c.Ready() {
		return
	}
	p.mu.Lock()
	p.nonce++
	nonce := p.nonce
	p.mu.Unlock()
	s.did.commands++
	s.logf("%s: command %d", p.name, nonce)
	s.beside(func() { s.call(p, c, c.Session(), nonce) })
}

// commandsAgain sends those again whose reply has not come, as clients do
// after a resume.
func (s *schedule) commandsAgain(p *player, c *Client) {
	session := c.Session()
	var again []int
	p.mu.Lock()
	for nonce, on := range p.open {
		if on == session {
			again = append(again, nonce)
		}
		delete(p.open, nonce)
	}
	p.mu.Unlock()
	slices.Sort(again)
	for _, nonce := range again {
		s.mu.Lock()
		s.did.repeatedCommands++
		s.mu.Unlock()
		s.logf("%s: command %d again", p.name, nonce)
		s.beside(func() { s.call(p, c, session, nonce) })
	}
}

// call sends a command and looks at its reply: whatever was lost and sent
// again, it ran once.
func (s *schedule) call(p *player, c *Client, session string, nonce int) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var runs int
	err := c.CallAgain(ctx, nonce, "COUNT", nonce, &runs)
	var ce *gateway.CommandError
	switch {
	case err == nil && runs == 1:
	case err == nil:
		s.wrong("%s: command %d ran %d times", p.name, nonce, runs)
	case errors.As(err, &ce) && ce.Code != "UNAVAILABLE", ctx.Err() != nil:
		s.wrong("%s: command %d: %v", p.name, nonce, err)
	default: // the connection broke, or the gateway drains
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open[nonce] = session
	}
}

// becomesReady waits for the connection's session, or for the end of hope.
func (c *Client) becomesReady(ctx context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(ctx, func() bool { return c.call == nil || c.call.state > signing })
	return c.call != nil && c.call.state == ready
}
