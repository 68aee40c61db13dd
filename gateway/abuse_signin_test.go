package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// signInAttacks are storms of Identify.
func signInAttacks() []attack {
	return []attack{
		{name: "identify: one user", clients: 100, change: func(o *Options) { o.Limits.UserIdentifies = 20 }, run: (*siege).sameUser},
		{name: "identify: many users", clients: 100, change: func(o *Options) { o.Limits.IdentifyRate = 20 }, run: (*siege).manyUsers},
		{name: "identify: wrong tokens", clients: 50, run: func(s *siege, n int) {
			s.each(n, func(int) {
				c := s.dial()
				c.identify("refused")
				c.wantClose(CloseAuthFailed)
			})
		}},
		{name: "identify: again and again", clients: 50, run: func(s *siege, n int) {
			s.each(n, func(i int) {
				c, _ := s.login(s.user("twice", i))
				c.identify(s.user("twice", i))
				c.wantClose(CloseAlreadyAuthenticated)
			})
		}},
		{name: "identify: while the application hangs", clients: 40, change: func(o *Options) {
			o.Limits.Identifies, o.Limits.SignInsWaiting = hangingAtOnce, hangingWaiting
			o.Limits.ReadyTimeout = 300 * time.Millisecond
			answers := o.Authenticate
			o.Authenticate = func(ctx context.Context, id Identify) (User, error) {
				if strings.HasPrefix(id.Token, "hang") {
					<-ctx.Done()
					return User{}, ctx.Err()
				}
				return answers(ctx, id)
			}
		}, run: (*siege).hanging},
	}
}

// sameUser begins more sessions of one user than it may have in a day.
func (s *siege) sameUser(n int) {
	var ready, refused atomic.Int32
	user := s.user("storm", 0)
	s.each(n, func(int) {
		c := s.dial()
		c.identify(user)
		switch m, code := c.next(); {
		case code == CloseRateLimited:
			refused.Add(1)
		case code == 0 && m.T != nil && *m.T == "READY":
			ready.Add(1)
		default:
			s.t.Errorf("got %v, closed with %d", m, code)
		}
	})
	if want := int32(min(n, 20)); ready.Load() != want || refused.Load() != int32(n)-want {
		s.t.Errorf("%d sessions, %d refused of %d", ready.Load(), refused.Load(), n)
	}
}

// manyUsers sign in at once, more than the gateway serves in a second. Who is
// not served stays connected, and is told so.
func (s *siege) manyUsers(n int) {
	clients := make([]*rawConn, n)
	s.each(n, func(i int) { clients[i] = s.dial() })
	var ready, refused atomic.Int32
	began := time.Now()
	s.each(n, func(i int) {
		c := clients[i]
		c.identify(s.user("storm", i))
		m := c.message()
		switch {
		case m.T != nil && *m.T == "READY":
			ready.Add(1)
		case m.Op == 9 && string(m.D) == "false":
			refused.Add(1)
			c.write(text(`{"op":1,"d":null}`))
			c.until(`"op":11`)
		default:
			s.t.Errorf("got %v", m)
		}
	})
	most := 20 * (2 + int32(time.Since(began)/time.Second)) // the bucket, and what comes back
	if ready.Load() > most || ready.Load() == 0 || ready.Load()+refused.Load() != int32(n) {
		s.t.Errorf("%d sessions, at most %d are allowed, %d refused of %d", ready.Load(), most, refused.Load(), n)
	}
}

const hangingAtOnce, hangingWaiting = 4, 4

// hanging signs in while the application does not answer. A few wait for it,
// until their time is over; the others are told at once.
func (s *siege) hanging(n int) {
	clients := make([]*rawConn, n)
	s.each(n, func(i int) { clients[i] = s.dial() })
	base := s.heap()
	var waiting atomic.Int32
	s.each(n, func(i int) {
		c := clients[i]
		c.identify("hang" + s.user("", i))
		c.write(text(`{"op":1,"d":null}`)) // answered in front of what hangs
		m, code := c.next()
		for code == 0 && m.Op == 11 {
			m, code = c.next()
		}
		switch {
		case code == CloseUnknown:
			waiting.Add(1)
		case code == 0 && m.Op == 9:
		case code == CloseNotAuthenticated:
			s.t.Error("who waits for the application is closed for not identifying")
		default:
			s.t.Errorf("got %v, closed with %d", m, code)
		}
	})
	s.holding(n, base)
	// About hangingAtOnce + hangingWaiting; at the very first, those that are
	// about to run count as waiting, and later there is room again.
	if got := int(waiting.Load()); got < hangingAtOnce || got > 4*hangingAtOnce {
		s.t.Errorf("%d waited for the application, want about %d: %s", got, hangingAtOnce+hangingWaiting, fmt.Sprint(s.g.Stats().ResumesRefused))
	}
}
