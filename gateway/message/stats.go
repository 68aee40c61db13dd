package message

import (
	"sync/atomic"
	"time"
)

// Stats is what a Pipeline has done since it was made.
type Stats struct {
	Waiting  int    // sent, and not stored yet
	Repeated uint64 // messages that were sent again, and are one
	Stages   map[string]StageStats
}

// StageStats is what one stage has done.
type StageStats struct {
	Calls    uint64
	Messages uint64 // in those calls
	Failed   uint64 // messages that were refused, or did not get through
	Time     time.Duration
}

type stageCount struct {
	calls, messages, failed atomic.Uint64
	time                    atomic.Int64
}

// Stats returns the present figures.
func (p *Pipeline) Stats() Stats {
	s := Stats{Waiting: p.batches.Stats().Queued, Repeated: p.repeated.Load(), Stages: make(map[string]StageStats, stages)}
	for i := range p.counts {
		c := &p.counts[i]
		s.Stages[Stage(i).String()] = StageStats{c.calls.Load(), c.messages.Load(), c.failed.Load(), time.Duration(c.time.Load())}
	}
	return s
}

// observe counts a call of a stage; failed is how many of its messages did not get through.
func (p *Pipeline) observe(s Stage, began time.Time, messages, failed int, err error) {
	took := time.Since(began)
	c := &p.counts[s]
	c.calls.Add(1)
	c.messages.Add(uint64(messages))
	c.failed.Add(uint64(failed))
	c.time.Add(int64(took))
	if p.opts.Observe != nil {
		p.opts.Observe(s, messages, took, err)
	}
}
