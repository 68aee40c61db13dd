package messages

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/proc"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Run is what was measured.
type Run struct {
	Messages int
	Took     time.Duration
	CPU      float64 // seconds of this process
	Machine  float64 // seconds of the whole machine
	Batches  []batch // that the store was given
}

// Pipeline sends for a while through a pipeline, which delivers to nobody.
func Pipeline(ctx context.Context, c Config, during time.Duration) (run Run, err error) {
	o, err := c.open(ctx)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	store := &recorder{Store: o.Store}
	o.Store = store
	options, delivered := c.options(o), atomic.Int64{}
	options.Deliver = func(_ context.Context, _ string, batch []message.Message) error {
		delivered.Add(int64(len(batch)))
		return nil
	}
	p, err := message.New(options)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	if err := send(ctx, p, 0, during/5); err != nil {
		return run, err
	}
	store.take()
	delivered.Store(0)
	run, err = measure(func() error { return send(ctx, p, 1<<40, during) })
	run.Messages, run.Batches = int(delivered.Load()), store.take()
	if n := p.Stats().Repeated; n > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages were taken for others that came before", n))
	}
	return run, err
}

// send has all senders send for a while, each when it was answered, and with nonces from
// one on.
func send(ctx context.Context, p *message.Pipeline, from int, during time.Duration) error {
	var senders sync.WaitGroup
	var over atomic.Bool
	failed := make(chan error, Channels*talking)
	for i := range Channels * talking {
		senders.Go(func() {
			m := message.Message{Channel: ChannelOf(i), Author: "author-" + strconv.Itoa(i)}
			for n := from; !over.Load(); n++ {
				m.Content, m.Nonce = texts[(i+n)%len(texts)], strconv.Itoa(n)
				_, err := p.Send(ctx, m)
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	timer := time.AfterFunc(during, func() { over.Store(true) })
	defer timer.Stop()
	senders.Wait()
	close(failed)
	return <-failed
}

// heap is what a server with some thousand sessions has, in bytes: without it a collection
// of the few that a run has in use would come every few milliseconds, for the pipeline
// more often than for the limit, whose messages are there before.
const heap = 64 << 20

// measure measures what is done, after a collection.
func measure(do func() error) (run Run, err error) {
	others := make([]byte, heap)
	defer runtime.KeepAlive(others)
	runtime.GC()
	cpu, machine, began := proc.CPU(), proc.MachineCPU(), time.Now()
	err = do()
	return Run{Took: time.Since(began), CPU: proc.CPU() - cpu, Machine: proc.MachineCPU() - machine}, err
}
