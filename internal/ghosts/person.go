package ghosts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// person is a user with one session at a time, who really is here or not.
type person struct {
	world   *world
	name    string
	session int // the newest
	at      *process
	is      sight // what everybody is to see
}

// soon is how long what is no matter of leases may take to be seen, on a busy machine.
const soon = 5 * time.Second

// gone is how long somebody may look as if they were here: the lease, the third of it until somebody looks, the grace.
// It counts from the last kill: who answered for them may be the one.
var gone = options(nil).Lease*4/3 + options(nil).Grace + soon

var statuses = []string{"online", "idle", "dnd"}

// live comes and goes until ctx ends, and stays as they are then.
func (p *person) live(ctx context.Context) {
	for ctx.Err() == nil {
		p.come()
		for range rand.IntN(20) {
			rest(ctx, rand.N(300*time.Millisecond))
			if ctx.Err() != nil {
				return
			}
			p.change()
		}
		rest(ctx, rand.N(300*time.Millisecond))
		if ctx.Err() != nil {
			return
		}
		p.leave()
	}
}

// come signs in.
func (p *person) come() {
	p.session++
	p.is.here, p.is.came = true, p.is.came+1
	p.set()
	p.isSeen(soon, "comes")
}

// set has some node say that the session is there: where it is, unless that is dead.
func (p *person) set() {
	for {
		if p.at == nil {
			p.at = p.world.one()
		}
		err := p.at.do("set", p.name, fmt.Sprint(p.session), statuses[rand.IntN(len(statuses))])
		if err == nil {
			return
		}
		if err == errDead {
			p.at = nil
			p.world.moves.Add(1)
		}
		rest(context.Background(), rand.N(200*time.Millisecond)) // a client's backoff
	}
}

// change does something that nobody may take for going away.
func (p *person) change() {
	switch rand.IntN(4) {
	case 0, 1: // another status
	case 2: // a short loss of the connection, with another node behind the balancer, or a new session
		_ = p.at.do("leave", p.name, fmt.Sprint(p.session), "-") // of a dead node: as well
		rest(context.Background(), rand.N(time.Second))
		if rand.IntN(2) == 0 {
			p.at = nil
		}
		if rand.IntN(3) == 0 {
			p.session++
		}
	case 3: // the other node has it before this one knows
		old, session := p.at, fmt.Sprint(p.session)
		p.at = nil
		p.set()
		if p.at != old {
			_ = old.do("leave", p.name, session, "-")
		}
		return
	}
	p.set()
	if is := p.world.judge(p); is != "" {
		p.world.t.Errorf("%s, who is here: %s", p.name, is)
	}
}

// leave goes: says so, or is cut off.
func (p *person) leave() {
	p.is.here, p.is.went = false, p.is.went+1
	began := time.Now()
	what := []string{"remove", "leave", "killed"}[rand.IntN(3)]
	if what != "killed" {
		_ = p.at.do(what, p.name, fmt.Sprint(p.session), "-") // of a dead node: its lease ends
	} else if p.world.isDoomed(p.at) {
		<-p.at.dead
		began = time.Now()
	} else {
		_ = p.at.do("leave", p.name, fmt.Sprint(p.session), "-")
	}
	p.at = nil
	p.isSeen(gone, what)
	p.world.took(p.world.since(began))
}

// isSeen waits until everybody sees what is.
func (p *person) isSeen(within time.Duration, what string) {
	began := time.Now()
	for {
		is := p.world.judge(p)
		if is == "" {
			return
		}
		if p.world.since(began) > within {
			p.world.t.Errorf("%s (%s): after %v %s", p.name, what, time.Since(began), is)
			return
		}
		rest(context.Background(), 10*time.Millisecond)
	}
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
