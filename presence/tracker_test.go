package presence_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// pause lets virtual time pass, and the tracker do what is due.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

const window = 150 * time.Millisecond // longer than the default one

func dev(session string, status presence.Status) presence.Device {
	return presence.Device{User: "ann", Session: session, Platform: session, Status: status}
}

func TestDevicesAreMerged(t *testing.T) {
	bubble(t, presence.Options{}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		tr.Join("g", "ann")
		for _, tt := range []struct {
			set  presence.Device
			want presence.Status
			told string
		}{
			{dev("a", presence.Idle), presence.Idle, "[ann idle]"},
			{dev("b", presence.Online), presence.Online, "[ann online]"},
			{dev("c", presence.DND), presence.DND, "[ann dnd]"},
			{dev("c", presence.DND), presence.DND, "[]"},
			{dev("b", presence.Invisible), presence.Offline, "[ann offline]"},
			{dev("a", presence.Online), presence.Offline, "[]"}, // nothing shows of who hides
			{dev("b", presence.Idle), presence.DND, "[ann dnd]"},
			{dev("c", ""), presence.Online, "[ann online]"},
		} {
			if err := tr.Set(ctx, tt.set); err != nil {
				r.t.Fatal(err)
			}
			pause(window)
			if got := tr.Get("ann").Status; got != tt.want {
				r.t.Errorf("after %s is %q: %s, want %s", tt.set.Session, tt.set.Status, got, tt.want)
			}
			r.want(tt.told)
		}
		if got := fmt.Sprint(tr.Get("ann").ClientStatus); got != "map[a:online b:idle c:online]" {
			r.t.Errorf("client status is %s", got)
		}
	})
}

func TestReconnectIsSilent(t *testing.T) {
	bubble(t, presence.Options{}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		tr.Join("g", "ann")
		tr.Set(ctx, dev("a", presence.Online))
		pause(window)
		r.want("[ann online]")
		for _, back := range []presence.Device{dev("a", presence.Online), {User: "ann", Session: "new", Platform: "a"}} {
			tr.Leave(ctx, "ann", "a")
			pause(44 * time.Second)
			tr.Set(ctx, back)
			pause(2 * time.Minute)
			r.want("[]")
		}
		tr.Leave(ctx, "ann", "new")
		left := time.Now()
		pause(44 * time.Second)
		r.want("[]")
		pause(2 * time.Second)
		r.want("[ann offline]")
		if seen := tr.Get("ann").LastSeen; !seen.Equal(left) {
			r.t.Errorf("last seen %v, want when the connection was lost: %v", seen, left)
		}
	})
}

func TestSignOutIsImmediate(t *testing.T) {
	bubble(t, presence.Options{}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		tr.Join("g", "ann")
		tr.Set(ctx, dev("a", presence.Online))
		pause(window)
		tr.Remove(ctx, "ann", "a")
		pause(window)
		r.want("[ann online ann offline]")
	})
	bubble(t, presence.Options{Grace: -1}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		tr.Join("g", "ann")
		tr.Set(ctx, dev("a", presence.Online))
		pause(window)
		tr.Leave(ctx, "ann", "a") // without a grace period
		pause(window)
		r.want("[ann online ann offline]")
	})
}

func TestInvisibleShowsNothing(t *testing.T) {
	bubble(t, presence.Options{}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		tr.Join("g", "ann")
		tr.Set(ctx, dev("a", presence.Online))
		pause(window)
		tr.Set(ctx, dev("a", presence.Invisible))
		pause(window)
		r.want("[ann online ann offline]")
		hidden := fmt.Sprint(tr.Get("ann"))
		if tr.Get("ann").ClientStatus != nil || tr.Get("ann").LastSeen.IsZero() {
			r.t.Errorf("who hides looks like %s", hidden)
		}
		pause(time.Hour)
		d := dev("b", presence.Invisible)
		d.Activities = json.RawMessage(`[{"name":"chess"}]`)
		tr.Set(ctx, d)
		pause(time.Hour)
		tr.Remove(ctx, "ann", "b")
		tr.Leave(ctx, "ann", "a")
		pause(time.Hour)
		r.want("[]")
		if got := fmt.Sprint(tr.Get("ann")); got != hidden {
			r.t.Errorf("what somebody did while invisible shows:\n%s, want\n%s", got, hidden)
		}
		for range tr.Online("g") {
			r.t.Error("who is invisible is online")
		}
	})
}

func TestChangesAreCoalesced(t *testing.T) {
	bubble(t, presence.Options{}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		calls := map[string]int{}
		for i := range 200 {
			topic := fmt.Sprint("g", i)
			tr.Join(topic, "ann")
			tr.Join(topic, "bob")
			tr.Watch(topic, func(topic string, changes []presence.Change) { calls[topic] += len(changes) })
		}
		for range 10 {
			tr.Set(ctx, dev("a", presence.Online))
			tr.Set(ctx, dev("a", presence.DND))
		}
		tr.Set(ctx, presence.Device{User: "bob", Session: "x"})
		pause(window)
		if len(calls) != 200 || calls["g7"] != 2 {
			r.t.Errorf("%d topics were told, g7 of %d changes", len(calls), calls["g7"])
		}
		r.take()
		tr.Set(ctx, dev("a", presence.Idle))
		tr.Set(ctx, dev("a", presence.DND)) // ends where it began
		pause(window)
		r.want("[]")
	})
}

func TestTopics(t *testing.T) {
	bubble(t, presence.Options{}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		tr.Join("g", "ann")
		tr.Join("g", "ann")
		tr.Join("g", "bob")
		watched := 0
		stop := tr.Watch("g", func(string, []presence.Change) { watched++ })
		tr.Set(ctx, dev("a", presence.Online))
		pause(window)
		online := []string{}
		for p := range tr.Online("g") {
			online = append(online, p.User)
		}
		if fmt.Sprint(online) != "[ann]" || watched != 1 {
			r.t.Errorf("online are %v, watched %d", online, watched)
		}
		stop()
		tr.Part("g", "ann")
		tr.Set(ctx, dev("a", presence.DND))
		pause(window)
		r.want("[ann online]")
		if watched != 1 {
			r.t.Errorf("told after stop")
		}
	})
}

func TestLimitsOfDevices(t *testing.T) {
	bubble(t, presence.Options{MaxDevices: 2, MaxActivities: 20}, func(tr *presence.Tracker, r *recorder) {
		ctx := r.t.Context()
		activities := func(s string) presence.Device {
			d := dev("a", presence.Online)
			d.Activities = json.RawMessage(s)
			return d
		}
		for _, tt := range []struct {
			d    presence.Device
			want error
		}{
			{presence.Device{User: "ann"}, presence.ErrDevice},
			{presence.Device{Session: "s"}, presence.ErrDevice},
			{dev("a", "busy"), presence.ErrStatus},
			{activities(`{}`), presence.ErrActivities},
			{activities(`[`), presence.ErrActivities},
			{activities(`["` + strings.Repeat("x", 20) + `"]`), presence.ErrActivities},
			{activities(`["x"]`), nil},
			{dev("b", presence.Online), nil},
			{dev("c", presence.Online), presence.ErrDevices},
			{dev("b", presence.Idle), nil},
		} {
			if err := tr.Set(ctx, tt.d); !errors.Is(err, tt.want) {
				r.t.Errorf("Set(%+v): %v, want %v", tt.d, err, tt.want)
			}
		}
		tr.Leave(ctx, "ann", "b") // makes room
		if err := tr.Set(ctx, dev("c", presence.Online)); err != nil {
			r.t.Error(err)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := presence.New(presence.Options{Grace: 44 * time.Second}); !errors.Is(err, presence.ErrGrace) {
		t.Errorf("a grace period that is too short: %v", err)
	}
	if _, err := presence.New(presence.Options{Window: -1}); err == nil {
		t.Error("a negative window is accepted")
	}
}

func TestAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, _ := presence.New(presence.Options{})
		if err := tr.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := tr.Close(t.Context()); !errors.Is(err, presence.ErrClosed) {
			t.Errorf("Close twice: %v", err)
		}
		if err := tr.Set(t.Context(), dev("a", "")); !errors.Is(err, presence.ErrClosed) {
			t.Errorf("Set after Close: %v", err)
		}
	})
}

// Two nodes with one store: they see each other's people, one of them tells;
// when one dies, the other takes over what it held, and a reconnect is silent.
func TestTwoNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		store := presence.NewMemoryStore()
		var trackers []*presence.Tracker
		all := &recorder{t: t, shown: map[string]map[string]any{}} // what the topic was told, by whomever
		var told [3]recorder
		for i := range told {
			told[i].t = t
			publish := func(topic string, changes []presence.Change) {
				all.publish(topic, changes)
				told[i].note(changes)
			}
			tr, err := presence.New(presence.Options{Store: store, Publish: publish, Node: fmt.Sprint("node", i)})
			if err != nil {
				t.Fatal(err)
			}
			trackers = append(trackers, tr)
			for _, user := range []string{"ann", "bob"} {
				tr.Join("g", user)
			}
		}
		a, b, c := trackers[0], trackers[1], trackers[2]
		a.Set(ctx, dev("a", presence.Online))
		a.Set(ctx, presence.Device{User: "bob", Session: "x", Platform: "web"})
		pause(window)
		if b.Get("ann").Status != presence.Online || b.Get("ann").Version != a.Get("ann").Version {
			t.Errorf("the other node sees %+v", b.Get("ann"))
		}
		told[1].want("[]") // the node where it happened tells

		kill(a)
		dead := time.Now()
		pause(20 * time.Second) // its lease has ended
		b.Set(ctx, dev("again", presence.Online))
		b.Join("g", "ann")
		for time.Since(dead) < 3*time.Minute {
			pause(time.Second)
			if time.Since(dead) < 45*time.Second && c.Get("bob").Status != presence.Online {
				t.Fatalf("bob is gone %v after his node died", time.Since(dead))
			}
		}
		if c.Get("bob").Status != presence.Offline || c.Get("ann").Status != presence.Online {
			t.Errorf("in the end bob is %s and ann %s", c.Get("bob").Status, c.Get("ann").Status)
		}
		gone := told[1].take() + told[2].take()
		if strings.Count(gone, "bob offline") != 1 || strings.Contains(gone, "ann offline") {
			t.Errorf("the survivors told %s", gone)
		}
		for _, tr := range trackers[1:] {
			tr.Close(ctx)
		}
	})
}

// kill stops a tracker as a crash would: its lease just runs out.
func kill(tr *presence.Tracker) { presence.Kill(tr) }

// A random history, checked against the merge rule at every step; what a topic
// was told adds up at the end of every window (the recorder looks).
func TestRandomHistories(t *testing.T) {
	statuses := []presence.Status{presence.Online, presence.Idle, presence.DND, presence.Invisible}
	for seed := range uint64(60) {
		bubble(t, presence.Options{}, func(tr *presence.Tracker, r *recorder) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			ctx := r.t.Context()
			type device struct {
				status presence.Status
				left   time.Time
			}
			devices := map[string]*device{}
			tr.Join("g", "ann")
			for step := range 80 {
				session := fmt.Sprint("s", rnd.IntN(4))
				switch rnd.IntN(5) {
				case 0, 1:
					s := statuses[rnd.IntN(4)]
					tr.Set(ctx, dev(session, s))
					devices[session] = &device{status: s}
				case 2:
					tr.Leave(ctx, "ann", session)
					if d := devices[session]; d != nil && d.left.IsZero() {
						d.left = time.Now()
					}
				case 3:
					tr.Remove(ctx, "ann", session)
					delete(devices, session)
				}
				pause(time.Duration(rnd.Int64N(int64(20 * time.Second))))
				pause(window)
				want := presence.Offline
				rank := map[presence.Status]int{presence.Idle: 1, presence.Online: 2, presence.DND: 3, presence.Invisible: 4}
				for name, d := range devices {
					if !d.left.IsZero() && time.Since(d.left) > 45*time.Second+window {
						delete(devices, name)
					} else if !d.left.IsZero() && time.Since(d.left) > 45*time.Second-window {
						want = "" // about now
						break
					} else if rank[d.status] > rank[want] {
						want = d.status
					}
				}
				if got := tr.Self("ann").Status; want != "" && got != want {
					r.t.Fatalf("seed %d, step %d: %s, want %s", seed, step, got, want)
				}
			}
		})
	}
}
