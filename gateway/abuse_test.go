package gateway

import (
	"cmp"
	"testing"
	"time"
)

// attack is something that clients do to a server which should not matter to
// it: each of them gets the right code, nobody else notices, and when they have
// gone the server is as before.
type attack struct {
	name    string
	clients int
	change  func(o *Options)      // beside what siege sets; nil: nothing
	headers time.Duration         // that a request may take; 0: more than it does
	run     func(s *siege, n int) // by n clients; returns when each has got what it should
}

// TestAbuse has every attack come over every transport. Each is made twice:
// pools and maps and the runtime keep the size that they have then, so that the
// second time must leave the process as large as the first did.
func TestAbuse(t *testing.T) {
	attacks := append(slowAttacks(), floodAttacks()...)
	attacks = append(attacks, signInAttacks()...)
	attacks = append(attacks, resumeAttacks()...)
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			for _, a := range attacks {
				t.Run(a.name, func(t *testing.T) { a.test(t, tr) })
			}
		})
	}
}

// abuseLeft is what an attack may leave behind of the heap: the limiter's keys,
// which are for a day. A connection or session that leaks is found by its weak
// pointer, too.
const abuseLeft = 256 << 10

func (a attack) test(t *testing.T, tr transport) {
	began := time.Now()
	s := besiegeWithin(t, tr, cmp.Or(a.headers, patience), a.change)
	watcher := s.watch()
	a.run(s, a.clients)
	s.lift()
	before := s.heap()
	a.run(s, a.clients)
	s.lift()
	s.wantHeap(before + abuseLeft)
	watcher.leave()
	s.wantNothing()
	s.end()
	t.Logf("%d clients, %v; %d KB of the heap are left; the bystander got %d events, the latest after %v",
		a.clients, time.Since(began).Round(time.Millisecond), (int64(s.heap())-int64(before))/1024, watcher.got.Load(), time.Duration(watcher.worst.Load()).Round(time.Millisecond))
}
