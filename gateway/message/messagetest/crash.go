package messagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	if n := len(w.delivered); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages were delivered that are not stored", n))
	}
	return w.found, errors.Join(err, w.trouble)
}

// crashFound is what was seen, for people.
type crashFound struct {
	kills, sent, again int
	took               time.Duration
}

func (f crashFound) String() string {
	return fmt.Sprintf("%d kills in %v, %d messages acknowledged; %d deliveries were repeated", f.kills, f.took.Round(time.Second), f.sent, f.again)
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

// pipeline is one on a taker of its own.
func (w *crashWorld) pipeline(ctx context.Context, node int) (*message.Pipeline, message.Queue, error) {
	late, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	queue, err := w.Taker(late)
	for ; err != nil; queue, err = w.Taker(late) {
		if rest(late, 20*time.Millisecond); late.Err() != nil {
			return nil, nil, during("open a taker", err)
		}
	}
	p, err := message.New(message.Options{
		Store: w.store, Queue: queue, IDs: message.NewIDs(node),
		Deliver: func(_ context.Context, _ string, batch []message.Message) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, m := range batch {
				w.delivered[m.ID]++
			}
			return nil
		},
		OnError: func(stage message.Stage, _ []message.Message, err error) {
			if stage != message.StageQueue {
				w.note(fmt.Errorf("%v: %w", stage, err))
			}
		},
	})
	return p, queue, err
}

func (w *crashWorld) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble = errors.Join(w.trouble, err)
}

// send sends messages 0, 1, … of a channel until ctx ends, each until it is acknowledged, or trying ends.
func (w *crashWorld) send(ctx, trying context.Context, p *message.Pipeline, channel int) {
	for n := 0; ctx.Err() == nil; n++ {
		m := message.Message{Channel: strconv.Itoa(channel), Author: "ann", Nonce: strconv.Itoa(n), Content: strconv.Itoa(n)}
		for sent := false; !sent; {
			once, cancel := context.WithTimeout(trying, 2*time.Second)
			_, err := p.Send(once, m)
			cancel()
			if sent = err == nil; !sent {
				if rest(trying, 10*time.Millisecond); trying.Err() != nil {
					return
				}
			}
		}
		w.sent[channel] = n + 1
		select {
		case w.acknowledged <- struct{}{}:
		default:
		}
		rest(ctx, 2*time.Millisecond)
	}
}

// crashTaker is a pipeline that consumes.
type crashTaker struct {
	queue  message.Queue
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func (w *crashWorld) taker(ctx context.Context, node int) (*crashTaker, error) {
	p, queue, err := w.pipeline(ctx, node)
	if err != nil {
		return nil, err
	}
	consuming, cancel := context.WithCancel(ctx)
	taker := &crashTaker{queue: queue, cancel: cancel}
	taker.ended.Go(func() {
		if err := p.Consume(consuming); !errors.Is(err, context.Canceled) {
			w.note(during("Consume", err))
		}
	})
	return taker, nil
}

// end ends a taker, which may have ended; nil is one that never began.
func (c *crashTaker) end() {
	if c == nil {
		return
	}
	c.cancel()
	c.ended.Wait()
	closeTaker(c.queue)
}

func closeTaker(q message.Queue) {
	if closer, can := q.(io.Closer); can {
		_ = closer.Close() // its server may be dead
	}
}

// judge looks at what became of n messages of a channel.
func (w *crashWorld) judge(ctx context.Context, channel, n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found.sent += n
	stored, newest := make(map[string]bool), -1
	var problems []error
	problem := func(format string, args ...any) {
		if len(problems) < 8 {
			problems = append(problems, fmt.Errorf("channel %d: "+format, append([]any{channel}, args...)...))
		}
	}
	for q := (message.Query{After: 1, Limit: message.MaxPage}); ; {
		page, err := w.store.Page(ctx, strconv.Itoa(channel), q)
		if err != nil {
			return err
		}
		for _, m := range page {
			number, err := strconv.Atoi(m.Content)
			switch {
			case err != nil || number >= n:
				problem("nobody sent %q", m.Content)
			case stored[m.Content]:
				problem("message %d is stored twice", number)
			case number < newest:
				problem("message %d is stored behind message %d", number, newest)
			case w.delivered[m.ID] == 0:
				problem("message %d is stored, and was not delivered", number)
			}
			stored[m.Content], newest, q.After = true, max(newest, number), m.ID
			w.found.again += max(0, w.delivered[m.ID]-1) // which may be: it is at least once
			delete(w.delivered, m.ID)
		}
		if len(page) < q.Limit {
			break
		}
	}
	for number := range n {
		if !stored[strconv.Itoa(number)] {
			problem("message %d was acknowledged, and is not stored", number)
		}
	}
	return errors.Join(problems...)
}
