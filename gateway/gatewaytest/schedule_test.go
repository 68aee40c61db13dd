package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// schedule is one random history of a gateway, its clients and its network.
// What happens, and when, follows from the seed.
type schedule struct {
	t      *testing.T
	seed   uint64
	tight  bool // bounds are small: losses may be, and must be told
	kills  bool // gateways are killed: what nobody has confirmed is lost, and so is what was sent to one session
	places bool // clients tell the places of what they have seen
	rng    *rand.Rand
	trace  func(string)
	began  time.Time

	oracle  *Oracle
	network *Network
	shaky   *shaky // the broker and the store
	limits  gateway.Limits
	topics  []string
	players []*player
	work    sync.WaitGroup // whatever runs beside the schedule

	mu       sync.Mutex
	gw       *gateway.Gateway // the newest
	port     *port            // its own
	gateways int
	drains   int
	sessions map[string]mortal // as the gateway that has it last gave it
	signIns  map[string]int    // by user
	ran      map[string]int    // by session and nonce, how often a command ran
	problems []error
	did      tally
}

// tally counts what schedules did.
type tally struct {
	steps, drops, shorts, takeovers, drains, kills, commands, repeatedCommands, below, slow, repeated, restated int
}

func (a *tally) add(b tally) {
	a.steps += b.steps
	a.drops += b.drops
	a.shorts += b.shorts
	a.takeovers += b.takeovers
	a.drains += b.drains
	a.kills += b.kills
	a.repeated += b.repeated
	a.restated += b.restated
	a.commands += b.commands
	a.repeatedCommands += b.repeatedCommands
	a.below += b.below
	a.slow += b.slow
}

func (a tally) String() string {
	return fmt.Sprintf("%d steps, %d drops, %d short writes, %d sessions taken over, %d resumed below what was seen, %d slow consumers, %d drains, %d kills (%d events again that no place told of, %d states), %d commands (%d again)",
		a.steps, a.drops, a.shorts, a.takeovers, a.below, a.slow, a.drains, a.kills, a.repeated, a.restated, a.commands, a.repeatedCommands)
}

func newSchedule(t *testing.T, seed uint64, trace func(string)) *schedule {
	s := &schedule{
		t: t, seed: seed, tight: seed%2 == 1, kills: seed%3 == 2, places: seed%4 < 2, trace: trace, began: time.Now(),
		rng:      rand.New(rand.NewPCG(seed, 7)),
		oracle:   NewOracle(),
		sessions: make(map[string]mortal),
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
	s.limits = gateway.Limits{Payloads: -1, HeartbeatInterval: 8 * time.Second, Checkpoint: time.Duration(1+s.rng.IntN(10)) * time.Second}
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
	s.shaky = &shaky{
		Broker: gateway.NewMemoryBroker(history), SessionStore: gateway.NewMemorySessions(),
		rng: rand.New(rand.NewPCG(seed, 8)),
	}
	if s.chance(2) {
		s.shaky.most = time.Duration(1+s.rng.IntN(60)) * time.Millisecond
	}
	if s.chance(3) && !s.kills { // a node that cannot save copies may be killed, and then there are holes
		s.shaky.fail = 3 + s.rng.IntN(8)
	}
	for i := range 1 + s.rng.IntN(20) {
		s.topics = append(s.topics, fmt.Sprint("topic:", i))
	}
	s.newGateway()
	s.network.Serve(t, "gateway", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.gateway().ServeHTTP(w, r) }))
	for i := range 1 + s.rng.IntN(5) {
		p := &player{name: fmt.Sprint("user", i), open: make(map[int]string)}
		p.c = s.newClient(p)
		s.players = append(s.players, p)
	}
	return s
}

// copiesAreUsed reports whether sessions may go on from copies. What was seen behind
// one comes again then, unless the client says so; states may come again anyhow;
// events that were sent to one session alone are lost, and a client that says that
// it has seen less than it has is sent other events under the same sequences.
func (s *schedule) copiesAreUsed() bool { return s.kills || s.shaky.fail > 0 }

func (s *schedule) kind() string {
	if s.kills {
		return "kills"
	}
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
	p := &port{shaky: s.shaky}
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			s.shaky.pause()
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, session *gateway.Session) (any, error) {
			return s.ready(ctx, mortal{session, p})
		},
		Resume: func(_ context.Context, session *gateway.Session) error {
			s.shaky.pause()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sessions[session.ID()] = mortal{session, p}
			return nil
		},
		OnSlow: func(_ *gateway.Session, q gateway.Queue) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.did.slow++
		},
		Broker: p, Sessions: p, Limits: s.limits, Workers: 1 + s.rng.IntN(2),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := gw.Shutdown(ctx); err != nil && !errors.Is(err, gateway.ErrClosed) && !p.killed.Load() {
			s.t.Errorf("seed %d: Shutdown: %v", s.seed, err)
		}
	})
	gateway.Handle(gw, "COUNT", s.count)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gw, s.port = gw, p
	s.gateways++
	return gw
}

// ready subscribes a new session to some topics, which follow from its user's
// name and how often it has signed in.
func (s *schedule) ready(ctx context.Context, session mortal) (any, error) {
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

// beside runs something while the schedule goes on.
func (s *schedule) beside(f func()) { s.work.Go(f) }

func (s *schedule) run() result {
	for _, p := range s.players {
		s.connect(p, false)
	}
	steps := 20 + s.rng.IntN(100)
	for range steps {
		s.did.steps++
		s.step()
		switch s.rng.IntN(8) {
		case 0, 1, 2: // at the same instant
		case 7:
			s.sleep(time.Duration(s.rng.IntN(3000)) * time.Millisecond)
		default:
			s.sleep(time.Duration(s.rng.IntN(100)) * time.Millisecond)
		}
	}
	s.settle()
	r := result{seed: s.seed, kind: s.kind(), report: s.oracle.Check()}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.did = s.did
	if s.copiesAreUsed() {
		r.did.restated, r.report.Restated = r.report.Restated, 0
		if !s.places {
			r.did.repeated, r.report.Repeated = r.report.Repeated, 0
		}
	}
	r.err = errors.Join(append(s.problems, r.report.Err())...)
	if !s.tight && !s.kills && r.report.Told > 0 {
		r.err = errors.Join(r.err, fmt.Errorf("%d sessions were told that they are over, when nothing should overflow", r.report.Told))
	}
	return r
}

// sleep lets the bubble's clock run.
func (s *schedule) sleep(d time.Duration) { time.Sleep(d) }

// settle ends all faults, brings everybody back and waits until nothing is
// under way any more.
func (s *schedule) settle() {
	s.logf("settle")
	for _, l := range s.network.Links() {
		l.Heal()
	}
	s.work.Wait() // whatever is published may still end a connection
	for round, calm := 0, 0; calm < 3; round++ {
		if round > 200 {
			s.wrong("the clients did not come back")
			return
		}
		for _, l := range s.network.Links() {
			l.Heal()
		}
		calm++
		for _, p := range s.players {
			if c := p.client(); !c.Connected() {
				s.connect(p, false)
				calm = 0
			} else if !c.Ready() {
				calm = 0
			}
		}
		s.sleep(time.Second)
	}
	s.work.Wait()
}

// play runs one schedule in a bubble.
//
//go:noinline
func play(t *testing.T, seed uint64, trace func(string)) (r result) {
	defer func() {
		if v := recover(); v != nil {
			fmt.Fprintf(os.Stderr, "sim: seed %d:\n", seed)
			panic(v)
		}
	}()
	// Time that passes outside the bubble only: somebody waits for a lock whose
	// holder sleeps, or nobody ever sleeps.
	hangs := time.AfterFunc(time.Minute, func() { panic(fmt.Sprintf("sim: seed %d hangs", seed)) })
	defer hangs.Stop()
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(t, seed, trace)
		r = s.run()
	})
	return r
}
