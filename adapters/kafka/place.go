package kafka

import (
	"github.com/gatehouse-go/gatehouse/gateway"
)

// place is one in a partition: the offset of the next record, and the leader's epoch in which the one
// before it was written. A leader that lacks the end of a partition (an unclean election) writes other
// records at its offsets, in a later epoch. So a place with its epoch says whether what is before it is
// still what it was; and the later one of two places is behind the other, whatever their offsets.
type place struct {
	epoch  int32 // -1: not known
	offset int64
}

// In a position's Offset the epoch, from 1 on, is above the offset: 20 bits, and 44, which is 17 million
// million records.
const (
	offsetBits = 44
	mostEpochs = 1<<(64-offsetBits) - 1
)

// packed counts up.
func (p place) packed() uint64 {
	return uint64(min(int64(p.epoch)+1, mostEpochs))<<offsetBits | uint64(p.offset)
}

func unpack(n uint64) place {
	p := place{int32(n>>offsetBits) - 1, int64(n & (1<<offsetBits - 1))}
	if p.epoch+1 == mostEpochs {
		p.epoch = -1
	}
	return p
}

// before reports whether what is written at q is not before p.
func (p place) before(q place) bool {
	return p.epoch < q.epoch || p.epoch == q.epoch && p.offset <= q.offset
}

func (e *events) position(partition uint32, p place) gateway.Position {
	return gateway.Position{Partition: partition, Epoch: e.epoch, Offset: p.packed()}
}
