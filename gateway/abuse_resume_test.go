package gateway

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// resumeAttacks are on sessions: other people's, and one's own.
func resumeAttacks() []attack {
	return []attack{
		{name: "resume: a stolen id", clients: 50, run: (*siege).stolen},
		{name: "resume: a live session, again and again", clients: 20, run: (*siege).contested},
		{name: "resume: sequences from the future", clients: 20, change: func(o *Options) {
			o.Limits.ResumeWindow = 10 * time.Second
		}, run: (*siege).future},
		{name: "resume: Invalid Session for ever", clients: 20, run: (*siege).invalidForEver},
		{name: "clients that come and go", clients: 150, run: (*siege).comeAndGo},
	}
}

// wantLive checks that a client is still sent what is published to it.
func (s *siege) wantLive(c *rawConn, user string) {
	s.t.Helper()
	data := s.user("for "+user, 0)
	if err := s.g.Publish(s.t.Context(), user, Event{Type: "LIVE", Data: data}); err != nil {
		s.t.Error(err)
	}
	c.until(data)
}

// stolen are clients that know the id of a live session: with another user's
// token it is not theirs, without a token they are nobody. Its owner notices nothing.
func (s *siege) stolen(n int) {
	owner := s.user("owner", 0)
	c, session := s.login(owner)
	var invalid atomic.Int32
	s.each(n, func(i int) {
		thief := s.dial()
		if i%2 == 0 {
			thief.resume("refused", session, "1")
			thief.wantClose(CloseAuthFailed)
			return
		}
		for _, seq := range []string{"0", "1", "2", "null"} {
			thief.resume(s.user("thief", i), session, seq)
			if m := thief.message(); m.Op == 9 && string(m.D) == "false" {
				invalid.Add(1)
			} else {
				s.t.Errorf("a thief got %v", m)
			}
		}
		thief.identify(s.user("thief", i)) // may be somebody else there and then
		if m := thief.message(); m.T == nil || *m.T != "READY" {
			s.t.Errorf("a thief that signs in got %v", m)
		}
	})
	s.wantLive(c, owner)
	if got, want := int(invalid.Load()), n/2*4; got != want {
		s.t.Errorf("%d resumes are invalid, want %d", got, want)
	}
	c.goodbye()
}

// contested sessions are taken from their live connections by others with the
// same token, until the gateway has enough of it; then who has one keeps it.
func (s *siege) contested(n int) {
	s.each(n, func(i int) {
		user := s.user("contested", i)
		holder, session := s.login(user)
		taken := 0
		for range 10 {
			c := s.dial()
			c.resume(user, session, "1")
			m := c.message()
			switch {
			case m.T != nil && *m.T == "RESUMED":
				taken++
				holder.wantClose(CloseUnknown)
				holder = c
			case m.Op != 9 || string(m.D) != "false":
				s.t.Errorf("got %v", m)
			}
		}
		if taken != mostContests {
			s.t.Errorf("a session was taken %d times, want %d", taken, mostContests)
		}
		s.wantLive(holder, user)
		holder.goodbye()
	})
}

// future are sequences that were never sent: a resume from there is invalid, a
// heartbeat closes, and neither harms the session.
func (s *siege) future(n int) {
	seqs := []string{"2", "3", "1000", "4294967296", "9223372036854775807", "18446744073709551615", "1e18"}
	s.each(n, func(i int) {
		user, seq := s.user("future", i), seqs[i%len(seqs)]
		c, session := s.login(user)
		for _, seq := range seqs {
			other := s.dial()
			other.resume(user, session, seq)
			if m := other.message(); m.Op != 9 || string(m.D) != "false" {
				s.t.Errorf("a resume from %s got %v", seq, m)
			}
			other.nc.Close()
		}
		s.wantLive(c, user) // is sequence 2
		c.write(text(fmt.Sprintf(`{"op":1,"d":%s}`, strings.Replace(seq, "2", "3", 1))))
		want := CloseUnknown
		if len(seq) > 15 || strings.Contains(seq, "e") {
			want = CloseUnknownOpcode // is no integer that JSON has
		}
		c.wantClose(want)
		c = s.dial()
		c.resume(user, session, "1")
		c.until("for " + user)
		c.until("RESUMED")
		c.goodbye()
	})
}

// invalidForEver asks for what is not there, however often it is told. After
// the soft limit it is told nothing, and after the hard one it has to go.
func (s *siege) invalidForEver(n int) {
	s.each(n, func(i int) {
		c := s.dial()
		ask := text(fmt.Sprintf(`{"op":6,"d":{"token":"x","session_id":"%032x","seq":1}}`, i))
		c.write(bytes.Repeat(ask, 300))
		told := 0
		for {
			m, code := c.next()
			if code != 0 {
				if code != CloseRateLimited {
					s.t.Errorf("closed with %d", code)
				}
				break
			}
			if m.Op == 9 {
				told++
			}
		}
		if told > 120 {
			s.t.Errorf("it was told %d times", told)
		}
	})
}

// comeAndGo connects and is gone at every stage of signing in.
func (s *siege) comeAndGo(n int) {
	s.each(n, func(i int) {
		switch user := s.user("gone", i); i % 5 {
		case 0:
			s.connect().Close()
		case 1:
			s.dial().nc.Close()
		case 2:
			c := s.dial()
			c.identify(user)
			c.nc.Close()
		case 3:
			c, _ := s.login(user)
			c.nc.Close()
		case 4:
			c, session := s.login(user)
			c.nc.Close()
			c = s.dial()
			c.resume(user, session, "1")
			c.nc.Close()
		}
	})
}
