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

// Queue is one owner's jobs. The zero value is an empty queue.
type Queue struct {
	jobs   []func() // guarded by the runner's mu
	active bool     // in ready, or a job of it is running
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
	if limit > 0 && len(q.jobs) >= limit {
		return false
	}
	if !q.active && r.waiting > 0 && r.running == r.max && len(r.ready) >= r.waiting {
		return false
	}
	q.jobs = append(q.jobs, job)
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
		job := q.jobs[0]
		q.jobs[0] = nil
		q.jobs = q.jobs[1:]
		r.run(q, job)
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
		if len(q.jobs) > 0 {
			r.ready = append(r.ready, q)
		} else {
			q.active, q.jobs = false, nil
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
	q.jobs = nil
}

// Waiting returns how many jobs of q have not begun.
func (r *Runner) Waiting(q *Queue) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(q.jobs)
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
