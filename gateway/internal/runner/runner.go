package runner

import (
	"context"
	"sync"
)

// Runner bounds how many jobs run at once. Goroutines exist only while there
// are jobs.
type Runner struct {
	max     int
	waiting int // owners that may wait; 0: any number

	mu      sync.Mutex
	ready   []*Queue      // owners with a job to run, each at most once
	running int           // goroutines
	idle    chan struct{} // closed when running reaches 0; nil while nobody waits
}

// Queue is one owner's jobs, in 16 bytes while there are none. The zero value is
// an empty queue.
type Queue struct {
	// Guarded by the runner's mu.
	last   *job // of a circle, so that the next is the first; nil: none waits
	n      int32
	active bool // in ready, or a job of it is running
}

type job struct {
	run  func()
	next *job
}

func (q *Queue) push(run func()) {
	j := &job{run: run}
	if q.last == nil {
		j.next = j
	} else {
		j.next, q.last.next = q.last.next, j
	}
	q.last = j
	q.n++
}

// pop takes the first of the jobs, of which there is one.
func (q *Queue) pop() func() {
	first := q.last.next
	if first == q.last {
		q.last = nil
	} else {
		q.last.next = first.next
	}
	q.n--
	return first.run
}

// New returns a runner of at most n jobs at a time, for which at most waiting
// owners wait (0: no limit).
func New(n, waiting int) *Runner { return &Runner{max: n, waiting: waiting} }

// Go adds a job behind the others of q, unless limit of them wait already
// (limit 0: no limit), or too many owners do. It never blocks and reports
// whether the job was taken.
// The job must not panic.
func (r *Runner) Go(q *Queue, limit int, job func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if limit > 0 && int(q.n) >= limit {
		return false
	}
	if !q.active && r.waiting > 0 && r.running == r.max && len(r.ready) >= r.waiting {
		return false
	}
	q.push(job)
	if q.active {
		return true // whoever runs its jobs finds this one
	}
	q.active = true
	r.ready = append(r.ready, q)
	if r.running < r.max {
		r.running++
		go r.work()
	}
	return true
}

func (r *Runner) work() {
	r.mu.Lock()
	defer r.mu.Unlock()
	finished := false
	defer func() {
		if !finished { // a job called runtime.Goexit: another goroutine goes on
			go r.work()
		}
	}()
	for len(r.ready) > 0 {
		q := r.ready[0]
		r.ready[0] = nil
		r.ready = r.ready[1:]
		r.run(q, q.pop())
	}
	finished = true
	r.running--
	if r.running == 0 {
		r.ready = nil
		if r.idle != nil {
			close(r.idle)
			r.idle = nil
		}
	}
}

// run runs a job of q without mu, which is held before and after.
func (r *Runner) run(q *Queue, job func()) {
	defer func() {
		r.mu.Lock()
		if q.active = q.last != nil; q.active {
			r.ready = append(r.ready, q)
		}
	}()
	r.mu.Unlock()
	job()
}

// Drop forgets the jobs of q that have not begun.
func (r *Runner) Drop(q *Queue) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !q.active {
		return
	}
	for i, waiting := range r.ready {
		if waiting == q {
			r.ready = append(r.ready[:i], r.ready[i+1:]...)
			q.active = false
			break
		}
	}
	q.last, q.n = nil, 0
}

// Waiting returns how many jobs of q have not begun.
func (r *Runner) Waiting(q *Queue) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(q.n)
}

// Running returns how many jobs are running, or about to.
func (r *Runner) Running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running
}

// Wait returns when nothing is running or waiting, or with ctx's error.
func (r *Runner) Wait(ctx context.Context) error {
	r.mu.Lock()
	if r.running == 0 {
		r.mu.Unlock()
		return nil
	}
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
