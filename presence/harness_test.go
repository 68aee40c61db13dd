package presence_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gatehouse-go/gatehouse/presence"
)

// bubble runs a test in virtual time with a tracker and a recording of what it told.
func bubble(t *testing.T, o presence.Options, test func(tr *presence.Tracker, r *recorder)) {
	synctest.Test(t, func(t *testing.T) {
		r := &recorder{t: t, shown: map[string]map[string]any{}}
		o.Publish = r.publish
		tr, err := presence.New(o)
		if err != nil {
			t.Fatal(err)
		}
		test(tr, r)
		if err := tr.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// recorder applies every delta that it is told to what it was told before.
type recorder struct {
	t     *testing.T
	mu    sync.Mutex
	told  []string // "user status", in order
	shown map[string]map[string]any
}

func (r *recorder) publish(topic string, changes []presence.Change) {
	r.note(changes)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		key := topic + "/" + c.User
		if r.shown[key] == nil {
			r.shown[key] = map[string]any{"status": "offline", "activities": []any{}, "client_status": map[string]any{}}
		}
		applyPatch(r.shown[key], roundTrip(c.Delta).(map[string]any))
		want := map[string]any{"status": string(c.Status), "activities": []any{}, "client_status": map[string]any{}}
		if c.Activities != nil {
			want["activities"] = roundTrip(c.Activities)
		}
		if c.ClientStatus != nil {
			want["client_status"] = roundTrip(c.ClientStatus)
		}
		if got, want := fmt.Sprint(r.shown[key]), fmt.Sprint(want); got != want {
			r.t.Errorf("the deltas for %s add up to\n%s, but the presence is\n%s", key, got, want)
		}
		if len(c.Delta) == 0 {
			r.t.Errorf("an empty delta for %s", key)
		}
	}
}

func (r *recorder) note(changes []presence.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range changes {
		r.told = append(r.told, c.User+" "+string(c.Status))
	}
}

// take returns what was told since the last take.
func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	told := fmt.Sprint(r.told)
	r.told = nil
	return told
}

func (r *recorder) want(want string) {
	r.t.Helper()
	if got := r.take(); got != want {
		r.t.Errorf("told %s, want %s", got, want)
	}
}

func roundTrip(v any) any {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

// applyPatch is RFC 7386 in place.
func applyPatch(target, patch map[string]any) {
	for name, v := range patch {
		sub, object := v.(map[string]any)
		switch {
		case v == nil:
			delete(target, name)
		case object:
			inner, ok := target[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
			}
			applyPatch(inner, sub)
			target[name] = inner
		default:
			target[name] = v
		}
	}
}
