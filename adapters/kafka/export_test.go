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

// Tidy ends the reading of all partitions that nobody follows.
func (b *Broker) Tidy() {
	for _, t := range b.tails {
		t.tidy(0)
	}
}

// Reading is how many partitions are read.
func (b *Broker) Reading() (n int) {
	for _, t := range b.tails {
		t.mu.Lock()
		if t.reading {
			n++
		}
		t.mu.Unlock()
	}
	return n
}
