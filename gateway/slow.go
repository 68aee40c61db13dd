package gateway

import (
	"sync"
	"time"
)

// slowConns are the connections whose sockets do not take what there is to
// write: those with a goroutine for it. Sessions of others have nothing unsent
// for longer than a worker's turn. The zero value is ready to use.
type slowConns struct {
	mu  sync.Mutex
	set map[*conn]struct{}
}

func (sl *slowConns) add(c *conn) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if sl.set == nil {
		sl.set = make(map[*conn]struct{})
	}
	sl.set[c] = struct{}{}
}

func (sl *slowConns) remove(c *conn) {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	delete(sl.set, c)
}

// oldest returns how many there are, and for how long the event that has waited
// longest for one of them has.
func (sl *slowConns) oldest() (n int, age time.Duration) {
	sl.mu.Lock()
	all := make([]*conn, 0, len(sl.set))
	for c := range sl.set {
		all = append(all, c)
	}
	sl.mu.Unlock()
	for _, c := range all {
		if s := c.ready(); s != nil {
			age = max(age, s.Queue().UnsentAge)
		}
	}
	return len(all), age
}
