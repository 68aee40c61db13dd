package gateway

import "time"

// Queue is what a session holds: events that wait to be sent, and those that
// were sent and wait to be acknowledged.
type Queue struct {
	Unsent      int           // events that have not been given a sequence
	UnsentBytes int           // of them
	UnsentAge   time.Duration // of the oldest of them; 0 if there is none
	Behind      int           // events that its connection is still to be sent again, after a resume
	Kept        int           // events that were given a sequence and not acknowledged
	KeptBytes   int           // of them
	KeptAge     time.Duration // of the oldest of them
	Detached    time.Duration // for how long it has had no connection; 0: it has one
}

// Queue returns what the session holds now. It takes a time that depends on how
// many events were taken out of the middle, which are few.
func (s *Session) Queue() Queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue(s.gw.now())
}

// queue is Queue. mu is held.
func (s *Session) queue(now time.Time) Queue {
	age := func(since int64) time.Duration {
		if since == 0 {
			return 0
		}
		return time.Duration(now.UnixNano() - since)
	}
	r := &s.ring
	q := Queue{
		Unsent: r.unsentLive, UnsentBytes: r.unsentBytes, UnsentAge: age(r.oldestUnsent()),
		Kept: int(r.sent - r.head), KeptBytes: r.keptBytes,
		Behind:   int(r.numbered() - r.next),
		Detached: age(s.detached),
	}
	if q.Kept > 0 {
		q.KeptAge = age(r.oldest())
	}
	return q
}

// tellSlowEvery is how often one session is told of.
const tellSlowEvery = 10 * time.Second

// tellSlow calls OnSlow for a session that has half of its bound queued, unless
// it was told of lately; always when it is being closed for it. mu is held.
func (s *Session) tellSlow(closing bool) {
	hook := s.gw.opts.OnSlow
	if hook == nil {
		return
	}
	now := s.gw.now()
	slow := &s.trouble().slow
	if !closing && now.UnixNano()-slow.told < int64(tellSlowEvery) {
		return
	}
	slow.told = now.UnixNano()
	q := s.queue(now)
	s.gw.chore(s, func() { hook(s, q) })
}
