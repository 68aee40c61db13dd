package messagetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Crash is a queue, and the servers that it stands on, which QueueCrash kills. Its functions are called by the
// goroutine of the test, but for Taker, which others call too.
type Crash struct {
	// Taker returns another taker of the queue. While it fails, it is called again. A taker that has a Close is closed.
	Taker func(ctx context.Context) (message.Queue, error)

	// Kill ends servers as a crash does. Start starts them again, with what they had then.
	Kill, Start func()

	// Die has a taker die without saying so to anybody, which every third instant wants; nil: none dies.
	Die func(q message.Queue)

	// Instants is how often something is killed; 0: 3.
	Instants int

	// Patience is how long it takes at most until a server that is there again does what it is asked, and what a dead
	// taker had comes to another; 0: a minute. Nothing waits for it to pass.
	Patience time.Duration
}

const (
	crashChannels = 6
	crashTakers   = 2
)

// QueueCrash has messages sent into a queue, and out of it into a store, while Kill and Start kill and start the servers
// below it, each time within a millisecond or so of an acknowledgement. In the end every message that was acknowledged is
// stored once, in the order in which it was sent, and was delivered, and none was delivered that is not stored.
// An instant takes half a second, beside what Kill and Start take.
func QueueCrash(t *testing.T, c Crash) {
	t.Helper()
	found, err := c.run(t.Context())
	t.Log(found)
	if err != nil {
		t.Errorf("what was acknowledged did not survive a crash of the queue:\n%v", err)
	}
}

func (c Crash) run(ctx context.Context) (found crashFound, err error) {
	if c.Instants <= 0 {
		c.Instants = 3
	}
	if c.Patience <= 0 {
		c.Patience = time.Minute
	}
	w := &crashWorld{
		Crash: c, store: message.NewMemoryStore(), acknowledged: make(chan struct{}), delivered: make(map[message.ID]int),
	}
	began := time.Now()
	if err := w.live(ctx); err != nil {
		return w.found, errors.Join(err, w.trouble)
	}
	w.found.took = time.Since(began)
	for channel, n := range w.sent {
		err = errors.Join(err, w.judge(ctx, channel, n))
	}
	if least := c.Instants * crashChannels; w.found.sent < least {
		err = errors.Join(err, fmt.Errorf("only %d messages were acknowledged, which is no load: want %d", w.found.sent, least))
	}
	if n := len(w.delivered); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages were delivered that are not stored", n))
	}
	return w.found, errors.Join(err, w.trouble)
}

type crashWorld struct {
	Crash
	store        *message.MemoryStore
	acknowledged chan struct{} // gets something, if somebody waits, the moment that a message is
	sent         [crashChannels]int
	found        crashFound

	mu        sync.Mutex
	delivered map[message.ID]int
	trouble   error // that no crash of a queue explains
}

// live has everything happen, and returns when it is over.
func (w *crashWorld) live(ctx context.Context) error {
	sender, queue, err := w.pipeline(ctx, 0)
	if err != nil {
		return err
	}
	defer closeTaker(queue)
	trying, giveUp := context.WithCancel(ctx)
	sending, stop := context.WithCancel(trying)
	var senders sync.WaitGroup
	defer func() {
		stop()
		giveUp()
		senders.Wait()
	}()
	for channel := range crashChannels {
		senders.Go(func() { w.send(sending, trying, sender, channel) })
	}
	var takers [crashTakers]*crashTaker
	defer func() {
		for _, taker := range takers {
			taker.end()
		}
	}()
	for i := range takers {
		if takers[i], err = w.taker(ctx, 1+i); err != nil {
			return err
		}
	}
	for i := range w.Instants {
		if err := w.awaitOne(ctx); err != nil { // there is load again, and some time for it
			return err
		}
		rest(ctx, rand.N(600*time.Millisecond))
		if err := w.awaitOne(ctx); err != nil {
			return err
		}
		w.Kill()
		w.found.kills++
		dies := w.Die != nil && i%3 == 1
		if dies {
			w.Die(takers[i%crashTakers].queue) // what it has taken, it stores, and cannot acknowledge
			takers[i%crashTakers].end()
		}
		rest(ctx, rand.N(300*time.Millisecond))
		w.Start()
		if dies {
			if takers[i%crashTakers], err = w.taker(ctx, 1+crashTakers+i%900); err != nil {
				return err
			}
		}
	}
	if err := w.awaitOne(ctx); err != nil {
		return err
	}
	stop()
	defer time.AfterFunc(w.Patience, giveUp).Stop()
	senders.Wait()
	if err := during("close the pipeline", sender.Close(ctx)); err != nil {
		return err
	}
	return w.awaitAll(ctx)
}

// awaitOne waits for an acknowledgement, so that what is killed then has just promised something: a server that answers a
// little before it keeps is not given the time.
func (w *crashWorld) awaitOne(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	select {
	case <-w.acknowledged:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("after %d kills nothing is acknowledged any more: %w", w.found.kills, ctx.Err())
	}
}

// awaitAll waits until the last message of each channel is stored.
func (w *crashWorld) awaitAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	for channel, n := range w.sent {
		for ; ; rest(ctx, 20*time.Millisecond) {
			page, err := w.store.Page(context.WithoutCancel(ctx), fmt.Sprint(channel), message.Query{Limit: 1})
			if err != nil {
				return err
			}
			if n == 0 || len(page) == 1 && page[0].Content == strconv.Itoa(n-1) {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("channel %d: of %d messages the last one is not stored, but %+v", channel, n, page)
			}
		}
	}
	return nil
}
