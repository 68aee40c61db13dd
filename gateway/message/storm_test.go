package message

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

var seeds = flag.Int("seeds", 40, "schedules of each storm")

// TestStorm has senders repeat themselves under their nonces until they have an answer, while the
// store fails in every way and processes die in the middle of everything.
func TestStorm(t *testing.T) {
	total := make(map[string]int)
	for seed := range *seeds {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, uint64(seed), float64(seed%4)*0.15, float64(seed%3)*0.03)
				w.weather(seed)
				for what, n := range w.counts {
					total[what] += n
				}
			})
		})
		if !ok {
			return
		}
	}
	for _, what := range []string{
		"before", "after", "part", "refuse", "panic before", "panic after", "hang", "hang after", "die before", "die after", "fail", "panic",
		"acknowledged", "unheard", "unknown", "again", "twins", CodeBusy, CodeUnavailable, CodeNotStored,
	} {
		if total[what] == 0 && *seeds >= 40 {
			t.Errorf("%q never happened: %v", what, total)
		}
	}
	t.Log(total)
}

// weather is one schedule of a storm.
func (w *world) weather(seed int) {
	o := Options{Batch: batch.Options{
		MaxItems: 1 + w.upTo(8), MaxPending: 4 + w.upTo(20), Retries: w.upTo(4) - 1,
		Backoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond, Timeout: 50 * time.Millisecond,
	}}
	if seed%2 == 1 {
		o.Batch.MaxDelay = 3 * time.Millisecond
	}
	w.born(o)
	var senders sync.WaitGroup
	for author := range 12 {
		senders.Go(func() { w.chatter(fmt.Sprint(author)) })
	}
	done := make(chan struct{})
	var god sync.WaitGroup
	god.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Duration(w.upTo(int(200 * time.Millisecond)))):
			}
			if l := w.life(); l.isDead() || w.chance(w.mortal) {
				l.kill()
				w.born(o)
			}
		}
	})
	senders.Wait()
	close(done)
	god.Wait()
	w.judge()
	for _, l := range w.lives {
		if err := l.p.Close(context.Background()); err != nil {
			w.t.Error(err)
		}
	}
	w.judge()
}

// chatter sends messages one after the other, each until it is acknowledged.
func (w *world) chatter(author string) {
	for n := range 8 {
		m := Message{Channel: fmt.Sprint(w.upTo(3)), Author: author, Nonce: fmt.Sprint(n), Content: fmt.Sprintf("%s says %d", author, n)}
		w.mu.Lock()
		w.content[senderOf(m)] = m.Content
		w.mu.Unlock()
		for try := 0; !w.say(m); try++ {
			if try > 500 {
				w.t.Errorf("%+v never got through", m)
				return
			}
			if try > 3 && w.chance(0.02) { // it has had enough
				break
			}
			w.nap(30 * time.Millisecond)
		}
		if w.chance(0.2) {
			w.nap(300 * time.Millisecond)
			w.note("again")
			w.say(m)
		}
	}
}

func (w *world) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// say sends a message once, or twice at a time, with more or less patience.
func (w *world) say(m Message) (acknowledged bool) {
	l := w.life()
	if l.isDead() {
		return false
	}
	times := 1
	if w.chance(0.2) {
		times = 2
		w.note("twins")
	}
	ok := make([]bool, times)
	var all sync.WaitGroup
	for i := range times {
		patience := time.Duration(1 + w.upTo(int(400*time.Millisecond)))
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			got, err := l.p.Send(ctx, m)
			ok[i] = l.told(m, got, err)
		})
	}
	all.Wait()
	return ok[0] || ok[times-1]
}
