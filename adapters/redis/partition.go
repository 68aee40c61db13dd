package redis

// lease is the right to a partition, of one taker and for as long as its epoch is the newest.
type lease struct {
	partition int
	epoch     uint64
}

// partition is what a taker remembers of a partition that it has the lease of. The queue's mu
// guards it.
type partition struct {
	lease

	after string              // the last id that Take returned
	out   map[string]struct{} // ids that Take returned, and that are not acknowledged

	ready   bool // there may be something to read
	reading bool // by the Take that is running
	leaving bool // others should have it: nothing more is read, and when nothing is out it is released
}

func newPartition(l lease) *partition {
	return &partition{lease: l, after: "0-0", out: make(map[string]struct{}), ready: true}
}

// drained reports whether the partition can be released.
func (p *partition) drained() bool { return len(p.out) == 0 && !p.reading }

// receipt is that of an item.
type receipt struct {
	lease
	id string
}

// quota is the part of a number that belongs to who has a place, from 0, among so many.
func quota(number, place, among int) int {
	n := number / among
	if place < number%among {
		n++
	}
	return n
}
