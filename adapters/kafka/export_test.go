package kafka

// Die ends a queue as the death of its process does: it says nothing to anybody.
func (q *Queue) Die() {
	q.mu.Lock()
	closed := q.closed
	q.closed = true
	q.wake()
	q.mu.Unlock()
	if !closed {
		q.end()
	}
}
