package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Who is away is sent what is said meanwhile: no more, no less, nothing of what was said before
// or after. Who is there is sent nothing.
func TestOffline(t *testing.T) {
	w := newWorld(t, options{})
	ann, bob := w.join(t, "ann"), w.join(t, "bob")
	hears := func(c *client, content string) {
		t.Helper()
		eventually(t, content+" is heard", func() bool { return !c.hears(content).IsZero() })
	}
	say := func(content string) {
		t.Helper()
		if err := ann.say(t.Context(), content); err != nil {
			t.Fatal(err)
		}
		hears(ann, content)
	}
	w.becomes(t, "bob", "online")
	say("before")
	hears(bob, "before")
	bob.leave()
	w.becomes(t, "bob", "offline")
	say("one")
	say("one") // again, as after a lost answer: it has the same nonce
	say("two")
	eventually(t, "bob is sent both", func() bool { return len(w.inbox(t, "bob")) == 2 })

	bob = w.join(t, "bob")
	w.becomes(t, "bob", "online")
	say("after")
	hears(bob, "after")
	bob.leave()
	w.becomes(t, "bob", "offline")
	say("three") // what is behind "after" is dealt with, so that one is, too
	eventually(t, "bob is sent another one", func() bool { return len(w.inbox(t, "bob")) > 2 })
	if got, want := w.inbox(t, "bob"), []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("bob was sent %q, want %q", got, want)
	}
	if got := w.inbox(t, "ann"); len(got) > 0 {
		t.Errorf("ann was there, and was sent %q", got)
	}
	if got, want := w.history(t), []string{"before", "one", "two", "after", "three"}; !slices.Equal(got, want) {
		t.Errorf("history is %q, want %q", got, want)
	}
}

// Who lost the connection without a word is sent what is said as soon as it is sure that nobody
// comes back. Who comes back is not.
func TestLost(t *testing.T) {
	w := newWorld(t, options{})
	ann, bob, carol := w.join(t, "ann"), w.join(t, "bob"), w.join(t, "carol")
	w.becomes(t, "bob", "online")
	w.becomes(t, "carol", "online")
	bob.ws.CloseNow()
	carol.ws.CloseNow()
	where := newWhereabouts(t, w)
	eventually(t, "it is known that both lost the connection", func() bool {
		return where(t, "bob") == undecided && where(t, "carol") == undecided
	})
	if err := ann.say(t.Context(), "where are you"); err != nil {
		t.Fatal(err)
	}
	w.join(t, "carol")
	w.becomes(t, "bob", "offline")
	eventually(t, "bob is sent it", func() bool { return slices.Equal(w.inbox(t, "bob"), []string{"where are you"}) })
	if got := w.inbox(t, "carol"); len(got) > 0 {
		t.Errorf("carol came back, and was sent %q", got)
	}
}

// Each service is killed while people talk, who say again what was not acknowledged. Then all that
// was acknowledged is there once, and who was away was sent all of it once.
func TestKilled(t *testing.T) {
	w := newWorld(t, options{})
	w.through(t, func(flows func()) { w.killEach(t, flows) })
}

// killEach kills the services, one after another, each while what is said goes all the way.
func (w *world) killEach(t *testing.T, flows func()) {
	t.Helper()
	for _, name := range []string{"messages", "notifications", "presence", "gateway"} {
		flows()
		p := w.processes[name]
		was := p.at()
		if err := p.kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" is back", func() bool { at := p.at(); return at != "" && at != was })
	}
	flows()
}

// NATS is away for a while, and nothing else is.
func TestWithoutNATS(t *testing.T) {
	dir := t.TempDir()
	server, err := startNATS(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop := func() { server.Shutdown(); server.WaitForShutdown() }
	t.Cleanup(func() { stop() })
	w := newWorld(t, options{nats: server.ClientURL()})
	w.through(t, func(flows func()) {
		flows()
		port := server.Addr().(*net.TCPAddr).Port
		stop()
		if server, err = startNATS(dir, port); err != nil {
			t.Fatal(err)
		}
		flows()
	})
}

// through has people talk through some trouble, which may wait until what is said goes all the way
// to the inbox of somebody who is away.
func (w *world) through(t *testing.T, trouble func(flows func())) {
	t.Helper()
	bob := w.join(t, "bob")
	bob.leave()
	w.becomes(t, "bob", "offline")

	const people = 3
	var acknowledged sync.Map
	var count atomic.Int64
	talking, quiet := context.WithCancel(t.Context())
	defer quiet()
	var all sync.WaitGroup
	for p := range people {
		all.Go(func() { w.talk(talking, fmt.Sprint("talker-", p), &acknowledged, &count) })
	}
	trouble(func() {
		t.Helper()
		until := len(w.inbox(t, "bob")) + 20
		eventually(t, "what is said goes all the way", func() bool { return len(w.inbox(t, "bob")) >= until })
	})
	quiet()
	all.Wait()

	var history []string
	eventually(t, "all that was acknowledged is stored", func() bool {
		history = w.history(t)
		there := make(map[string]bool)
		for _, content := range history {
			there[content] = true
		}
		missing := 0
		acknowledged.Range(func(content, _ any) bool {
			if !there[content.(string)] {
				missing++
			}
			return true
		})
		return missing == 0
	})
	once := slices.Clone(history)
	slices.Sort(once)
	if n := len(history) - len(slices.Compact(once)); n > 0 {
		t.Errorf("%d messages are there twice", n)
	}
	eventually(t, "bob is sent the last of it", func() bool { return len(w.inbox(t, "bob")) >= len(history) })
	if got := w.inbox(t, "bob"); !slices.Equal(got, history) {
		t.Errorf("bob was sent %d notifications, of %d messages, or not in their order", len(got), len(history))
	}
	t.Logf("%d messages acknowledged", count.Load())
}

// talk says one thing after another until ctx ends, each until it is acknowledged.
func (w *world) talk(ctx context.Context, name string, acknowledged *sync.Map, count *atomic.Int64) {
	var c *client
	defer func() {
		if c != nil {
			c.ws.CloseNow()
		}
	}()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	for i := 0; ctx.Err() == nil; <-pace.C {
		if c == nil {
			c, _ = join(ctx, w.url, name)
			continue
		}
		content := fmt.Sprintf("%s says %d", name, i)
		if c.say(ctx, content) != nil {
			c.ws.CloseNow()
			c = nil
			continue
		}
		acknowledged.Store(content, true)
		count.Add(1)
		i++
	}
}
