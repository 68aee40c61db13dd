package messages

import (
	"context"
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Stages are how long each stage took, of each message: that of its batch, where there
// is one. Safe for concurrent use.
type Stages struct {
	of   [len(Names)]histogram
	size histogram // of the batches that were stored, in messages, each message counting
}

// Names are those of the pipeline's stages, and the wait in the batch.
var Names = [...]string{"limit", "validate", "wait", "store", "index", "deliver"}

const wait = 2 // of Names

// Spread is some percentiles of what a stage took, in milliseconds.
type Spread struct {
	N    uint64  `json:"n"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}

// Observe is an Options.Observe.
func (s *Stages) Observe(stage message.Stage, messages int, took time.Duration, _ error) {
	for i, name := range Names {
		if name == stage.String() {
			s.of[i].add(uint64(took), uint64(messages))
		}
	}
	if stage == message.StageStore {
		s.size.add(uint64(messages), uint64(messages))
	}
}

// Validate is an Options.Validate that has the message bear the time at which it was done.
func (s *Stages) Validate(ctx context.Context, m *message.Message) error {
	err := message.Rules{}.Check(ctx, m)
	m.Data = binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
	return err
}

// waited is a store that notes for how long its messages had been waiting.
type waited struct {
	message.Store
	stages *Stages
}

func (w waited) Append(ctx context.Context, channel string, batch []message.Message) error {
	now := time.Now().UnixNano()
	for _, m := range batch {
		if len(m.Data) == 8 {
			w.stages.of[wait].add(uint64(max(0, now-int64(binary.BigEndian.Uint64(m.Data)))), 1)
		}
	}
	return w.Store.Append(ctx, channel, batch)
}

// Take returns what was measured since it was last asked for, by name, with "batch" for
// the sizes of the batches.
func (s *Stages) Take() map[string]Spread {
	all := make(map[string]Spread)
	for i, name := range Names {
		if spread := s.of[i].take(1e-6); spread.N > 0 {
			all[name] = spread
		}
	}
	all["batch"] = s.size.take(1)
	return all
}

// histogram counts values in buckets that are 1/32 apart, or less.
type histogram struct{ counts [64 * fine]atomic.Uint64 }

const fine = 32

func bucket(v uint64) int {
	if v < fine {
		return int(v)
	}
	shift := bits.Len64(v) - 6 // of which 32 to 63 are left
	return (shift+1)*fine + int(v>>shift) - fine
}

// upper is the highest value of a bucket.
func upper(bucket int) uint64 {
	if bucket < fine {
		return uint64(bucket)
	}
	shift := bucket/fine - 1
	return (uint64(bucket%fine)+fine+1)<<shift - 1
}

func (h *histogram) add(v, times uint64) { h.counts[bucket(v)].Add(times) }

// take empties it; values are told in a unit.
func (h *histogram) take(unit float64) (s Spread) {
	var counts [64 * fine]uint64
	for i := range h.counts {
		counts[i] = h.counts[i].Swap(0)
		s.N += counts[i]
	}
	at := func(share float64) float64 {
		left := uint64(share * float64(s.N))
		for i, n := range counts {
			if left < n {
				return float64(upper(i)) * unit
			}
			left -= n
		}
		return 0
	}
	s.P50, s.P99, s.P999 = at(0.5), at(0.99), at(0.999)
	return s
}
