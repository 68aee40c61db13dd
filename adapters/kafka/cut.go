package kafka

import (
	"github.com/twmb/franz-go/pkg/kgo"
)

// A leader may lack the end of a partition (an unclean election), and put other records there. Who had read more than it has
// is told by the client. Who had not sees nothing of it: so those who know that something was lost, because they had read it, or
// because it was acknowledged to them, write a cut into the partition. It is a record that says that what was before its
// leader's epoch may lack something. Versions of this package that do not know it take it for one that they cannot read, which
// is a gap, too.
const cutVersion = 0

func isCut(b []byte) bool { return len(b) == 1 && b[0] == cutVersion }

// kept is called by the sender with each record that a leader says it keeps, in their order.
func (e *events) kept(r *kgo.Record) {
	if behind := e.behind[r.Partition].Swap(r.Offset + 1); r.Offset < behind {
		e.cut(uint32(r.Partition))
	}
}

// cut writes a cut, and waits for nothing.
func (e *events) cut(partition uint32) {
	e.opts.Logger.Warn("kafka: a leader lacks what was kept", "topic", e.opts.Topic, "partition", partition)
	e.client.TryProduce(e.base, &kgo.Record{Topic: e.opts.Topic, Partition: int32(partition), Value: []byte{cutVersion}},
		func(_ *kgo.Record, err error) {
			if err != nil && e.base.Err() == nil {
				e.opts.Logger.Error("kafka: not all are told that events were lost", "topic", e.opts.Topic, "partition", partition, "err", err)
			}
		})
}
