package shard

import "sync/atomic"

// Table holds the ring that is in force. Readers load it without a lock; a change
// replaces it whole, so that who asks twice of one loaded ring gets one answer.
// It is safe for concurrent use.
type Table struct {
	ring atomic.Pointer[Ring]
}

// NewTable returns a table that holds ring, which may not be nil.
func NewTable(ring *Ring) *Table {
	t := &Table{}
	t.Swap(ring)
	return t
}

// Load returns the ring in force. It does not allocate.
func (t *Table) Load() *Ring { return t.ring.Load() }

// Swap puts ring in force and returns the one before. It panics if ring is nil.
func (t *Table) Swap(ring *Ring) (old *Ring) {
	if ring == nil {
		panic("shard: nil ring put into a Table")
	}
	return t.ring.Swap(ring)
}

// Apply puts the second ring of a plan in force if its first still is, and says
// whether it did: what was planned is what happens. If another change came
// between, make a new plan.
func (t *Table) Apply(plan *Plan) bool {
	return t.ring.CompareAndSwap(plan.from, plan.to)
}

// Update puts in force the ring that change makes of the present one, and returns
// what moved. No change made meanwhile is lost: change is then called again, with
// the newer ring. If it returns an error, nothing happens and Update returns the
// error as it is.
//
//	plan, err := table.Update(func(r *shard.Ring) (*shard.Ring, error) { return r.Without("node-7") })
func (t *Table) Update(change func(*Ring) (*Ring, error)) (*Plan, error) {
	for {
		old := t.Load()
		next, err := change(old)
		if err != nil {
			return nil, err
		}
		if plan := NewPlan(old, next); t.Apply(plan) {
			return plan, nil
		}
	}
}
