package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// schedule is one random history of a gateway, its clients and its network.
// What happens, and when, follows from the seed.
type schedule struct {
	t     *testing.T
	seed  uint64
	tight bool // bounds are small: losses may be, and must be told
	rng   *rand.Rand
	trace func(string)
	began time.Time

	oracle  *Oracle
	network *Network
	broker  *gateway.MemoryBroker
	store   *gateway.MemorySessions
	limits  gateway.Limits
	topics  []string
	players []*player
	work    sync.WaitGroup // whatever runs beside the schedule

	mu       sync.Mutex
	gw       *gateway.Gateway // the newest
	gateways int
	drains   int
	sessions map[string]*gateway.Session // as the gateway that has it last gave it
	signIns  map[string]int              // by user
	ran      map[string]int              // by session and nonce, how often a command ran
	problems []error
	did      tally
}

// tally counts what schedules did.
type tally struct{ steps, drops, shorts, takeovers, drains, commands, repeatedCommands, below, slow int }

func (a *tally) add(b tally) {
	a.steps += b.steps
	a.drops += b.drops
	a.shorts += b.shorts
	a.takeovers += b.takeovers
	a.drains += b.drains
	a.commands += b.commands
	a.repeatedCommands += b.repeatedCommands
	a.below += b.below
	a.slow += b.slow
}

func (a tally) String() string {
	return fmt.Sprintf("%d steps, %d drops, %d short writes, %d sessions taken over, %d resumed below what was seen, %d slow consumers, %d drains, %d commands (%d again)",
		a.steps, a.drops, a.shorts, a.takeovers, a.below, a.slow, a.drains, a.commands, a.repeatedCommands)
}

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

func newSchedule(t *testing.T, seed uint64, trace func(string)) *schedule {
	s := &schedule{
		t: t, seed: seed, tight: seed%2 == 1, trace: trace, began: time.Now(),
		rng:      rand.New(rand.NewPCG(seed, 7)),
		oracle:   NewOracle(),
		store:    gateway.NewMemorySessions(),
		sessions: make(map[string]*gateway.Session),
		signIns:  make(map[string]int),
		ran:      make(map[string]int),
	}
	s.oracle.trace = s.logf
	o := NetworkOptions{Seed: seed}
	if s.chance(2) {
		o.Delay = time.Duration(s.rng.IntN(50)) * time.Millisecond
		o.Jitter = time.Duration(s.rng.IntN(20)) * time.Millisecond
	}
	if s.chance(4) {
		o.Buffer = 256 << s.rng.IntN(5)
	}
	s.network = NewNetwork(o)
	s.limits = gateway.Limits{Payloads: -1, HeartbeatInterval: 8 * time.Second}
	history := gateway.MemoryBrokerOptions{}
	if s.tight {
		s.limits.UnsentEvents = 6 + s.rng.IntN(60)
		s.limits.KeptEvents = 4 + s.rng.IntN(80)
		if s.chance(4) {
			s.limits.DetachedEvents = 8 + s.rng.IntN(80)
		}
		if s.chance(4) {
			history.History = 1 + s.rng.IntN(32)
		}
	}
	s.broker = gateway.NewMemoryBroker(history)
	for i := range 1 + s.rng.IntN(20) {
		s.topics = append(s.topics, fmt.Sprint("topic:", i))
	}
	s.newGateway()
	s.network.Serve(t, "gateway", s.gw)
	for i := range 1 + s.rng.IntN(5) {
		p := &player{name: fmt.Sprint("user", i), open: make(map[int]string)}
		p.c = s.newClient(p)
		s.players = append(s.players, p)
	}
	return s
}

func (s *schedule) kind() string {
	if s.tight {
		return "tight bounds"
	}
	return "nothing may overflow"
}

// chance is true once in n times.
func (s *schedule) chance(n int) bool { return s.rng.IntN(n) == 0 }

func (s *schedule) logf(format string, args ...any) {
	if s.trace != nil {
		s.trace(fmt.Sprintf("%9.3fs ", time.Since(s.began).Seconds()) + fmt.Sprintf(format, args...))
	}
}

// wrong notes what must not be, beside what the oracle finds.
func (s *schedule) wrong(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	s.logf("WRONG: %v", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.problems) < 5 {
		s.problems = append(s.problems, err)
	}
}

// newGateway makes the gateway that takes over from the one there is. It
// shares the broker and the store with it.
func (s *schedule) newGateway() *gateway.Gateway {
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: s.ready,
		Resume: func(_ context.Context, session *gateway.Session) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sessions[session.ID()] = session
			return nil
		},
		OnSlow: func(_ *gateway.Session, q gateway.Queue) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.did.slow++
		},
		Broker: s.broker, Sessions: s.store, Limits: s.limits, Workers: 1 + s.rng.IntN(2),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := gw.Shutdown(ctx); err != nil && !errors.Is(err, gateway.ErrClosed) {
			s.t.Errorf("seed %d: Shutdown: %v", s.seed, err)
		}
	})
	gateway.Handle(gw, "COUNT", s.count)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw = gw
	s.gateways++
	return gw
}

// ready subscribes a new session to some topics, which follow from its user's
// name and how often it has signed in.
func (s *schedule) ready(ctx context.Context, session *gateway.Session) (any, error) {
	name := session.User().ID
	s.mu.Lock()
	s.sessions[session.ID()] = session
	s.signIns[name]++
	h := fnv.New64()
	fmt.Fprint(h, name, s.signIns[name])
	s.mu.Unlock()
	rng := rand.New(rand.NewPCG(s.seed, h.Sum64()))
	for _, topic := range s.topics {
		if rng.IntN(3) > 0 {
			if err := s.oracle.Subscribe(ctx, session, topic); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// count is a command that says how often it ran for a session with a nonce.
func (s *schedule) count(_ context.Context, session *gateway.Session, nonce int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(session.ID(), " ", nonce)
	s.ran[key]++
	return s.ran[key], nil
}

// newClient returns a client that speaks in any way.
func (s *schedule) newClient(p *player) *Client {
	o := ClientOptions{Token: p.name, Ext: true, Seed: s.rng.Uint64(), Oracle: s.oracle, Version: 9 + s.rng.IntN(2)}
	for _, intent := range []gateway.Intent{gateway.IntentGuilds, gateway.IntentGuildMessages, gateway.IntentGuildMembers} {
		if s.chance(2) {
			o.Intents |= intent
		}
	}
	c := s.network.Client(s.t, o)
	s.speak(c)
	return c
}

// speak chooses how a client's next connection speaks.
func (s *schedule) speak(c *Client) {
	switch s.rng.IntN(4) {
	case 0:
		c.Speak("msgpack", "")
	case 1:
		c.Speak("msgpack", "lz4")
	default:
		c.Speak("json", "")
	}
}

// beside runs something while the schedule goes on.
func (s *schedule) beside(f func()) { s.work.Go(f) }

func (s *schedule) run() result {
	for _, p := range s.players {
		s.connect(p, false)
	}
	steps := 20 + s.rng.IntN(60)
	for range steps {
		s.did.steps++
		s.step()
		switch s.rng.IntN(8) {
		case 0, 1, 2: // at the same instant
		case 7:
			time.Sleep(time.Duration(s.rng.IntN(3000)) * time.Millisecond)
		default:
			time.Sleep(time.Duration(s.rng.IntN(100)) * time.Millisecond)
		}
	}
	s.settle()
	r := result{seed: s.seed, kind: s.kind(), report: s.oracle.Check()}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.did = s.did
	r.err = errors.Join(append(s.problems, r.report.Err())...)
	if !s.tight && r.report.Told > 0 {
		r.err = errors.Join(r.err, fmt.Errorf("%d sessions were told that they are over, when nothing should overflow", r.report.Told))
	}
	return r
}

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
		s.command(p)
	case n < 98:
		if c := p.client(); c.Connected() {
			s.logf("%s: heartbeat", p.name)
			s.beside(func() { c.Heartbeat() })
		}
	default:
		if s.chance(3) {
			s.drain()
		}
	}
}

func (p *player) client() *Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.c
}

func (s *schedule) gateway() *gateway.Gateway {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gw
}

func (s *schedule) session(p *player) *gateway.Session {
	id := p.client().Session()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[id]
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
			if err := s.oracle.Publish(s.t.Context(), gw, topic, ev); err != nil && !errors.Is(err, gateway.ErrClosed) {
				s.wrong("publish: %v", err)
			}
		}
	}
	if session := s.session(s.players[s.rng.IntN(len(s.players))]); session != nil && s.chance(8) {
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
	session := s.session(p)
	topic := s.topics[s.rng.IntN(len(s.topics))]
	how := s.rng.IntN(4)
	beside := s.chance(2)
	if session == nil {
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
		if err != nil && !errors.Is(err, gateway.ErrClosed) {
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
	bytes, how := s.rng.IntN(500), s.rng.IntN(10)
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
	}
	s.logf("%s: link %d: %s", p.name, l.ID(), what)
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
	if faults && s.chance(4) {
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
		time.Sleep(wait)
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
	p.mu.Lock()
	if p.busy || p.c.Session() == "" || !p.c.Connected() || !s.tight && p.contests >= 2 {
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
	if !c.ready() {
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
		time.Sleep(time.Duration(s.rng.IntN(500)) * time.Millisecond)
		old.HandTo(next)
	}
}

// settle ends all faults, brings everybody back and waits until nothing is
// under way any more.
func (s *schedule) settle() {
	s.logf("settle")
	calm := 0
	for round := 0; calm < 3; round++ {
		if round > 200 {
			s.wrong("the clients did not come back")
			return
		}
		for _, l := range s.network.Links() {
			l.Heal()
		}
		all := true
		for _, p := range s.players {
			c := p.client()
			if !c.Connected() {
				s.connect(p, false)
				all = false
			} else if !c.ready() {
				all = false
			}
		}
		if calm++; !all {
			calm = 0
		}
		time.Sleep(time.Second)
	}
	s.work.Wait()
	time.Sleep(time.Second)
}

// becomesReady waits for the connection's session, or for the end of hope.
func (c *Client) becomesReady(ctx context.Context) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait(ctx, func() bool { return c.call == nil || c.call.state > signing })
	return c.call != nil && c.call.state == ready
}

// ready reports whether the connection has its session.
func (c *Client) ready() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.call != nil && c.call.state == ready
}
