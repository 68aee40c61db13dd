package server

import (
	"context"
	"sync"
)

// taking is the goroutine that takes messages out of the queue. The zero value
// is that of a server without one.
type taking struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

// take starts it, if there is a queue. What it is to store and tell, and who
// waits for that, must be there.
func (s *Server) take() {
	if s.opts.Queue == nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s.taking.stop = stop
	s.taking.done.Go(func() { s.sending.Consume(ctx) }) // until stop is called
}

// end stops it, and waits. What was not taken is for the next server.
func (t *taking) end() {
	if t.stop == nil {
		return
	}
	t.stop()
	t.done.Wait()
}
