package nats

import (
	"slices"
	"strings"
	"time"

	natsgo "github.com/nats-io/nats.go"
)

// crew is who else takes, as far as they say so: by a message that is kept by nobody. What is missed
// costs time, or has takers share unevenly for a while; who has which partition does not depend on it.
// The queue's mu guards it.
type crew struct {
	others map[string]time.Time // when each was heard
	said   bool                 // the others count us
}

// What takers say to each other, with their name behind it.
const (
	hello = "hello" // it takes; every quarter of a lease
	bye   = "bye"   // it does not
	look  = "look"  // there is something to look at
)

func (q *Queue) say(what string) error {
	return q.conn.Publish(q.crewSubject(), []byte(what+" "+q.taker))
}

// heard is called with what some taker says.
func (q *Queue) heard(m *natsgo.Msg) {
	what, who, _ := strings.Cut(string(m.Data), " ")
	if who == q.taker {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	_, known := q.crew.others[who]
	switch what {
	case hello:
		q.crew.others[who] = time.Now()
		if !known {
			note(q.kick) // and it hears of us
		}
	case bye:
		delete(q.crew.others, who)
		note(q.kick)
	case look:
		note(q.kick)
	}
}

// share is how many partitions are this taker's, by who was heard within a lease.
func (q *Queue) share(now time.Time) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.active() {
		return 0
	}
	all := []string{q.taker}
	for who, when := range q.crew.others {
		if now.Sub(when) > q.opts.Lease {
			delete(q.crew.others, who)
			continue
		}
		all = append(all, who)
	}
	slices.Sort(all)
	return quota(q.partitions, slices.Index(all, q.taker), len(all))
}
