package redis

import (
	"strconv"

	goredis "github.com/redis/go-redis/v9"
)

// listen is the goroutine that hears what other takers and Put say: which partition to look at, and
// that one is free. What is said while nobody hears costs a quarter of a lease, after which keep
// looks by itself. Close ends it.
func (q *Queue) listen() {
	heard := q.client.Subscribe(q.ctx, q.channel())
	defer heard.Close()
	what := heard.ChannelWithSubscriptions()
	for {
		select {
		case <-q.ctx.Done():
			return
		case m, open := <-what:
			if !open { // the client was closed
				return
			}
			switch m := m.(type) {
			case *goredis.Subscription: // also after the connection was lost
				q.look(-1)
				note(q.kick)
			case *goredis.Message:
				if n, err := strconv.Atoi(m.Payload); err == nil {
					q.look(n)
				} else {
					note(q.kick)
				}
			}
		}
	}
}

// look has Take look at a partition, or at all.
func (q *Queue) look(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range q.held {
		p.ready = p.ready || n < 0 || p.partition == n
	}
	note(q.wake)
}
