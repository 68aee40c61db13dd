package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// patience is how long what must happen may take on a machine that is busy.
const patience = time.Minute

// eventually waits for something to hold.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); !holds(); <-ticker.C {
		if time.Since(began) > patience {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// world is all services under test.
type world struct {
	*all
	url string
}

func newWorld(t *testing.T, o options) *world {
	t.Helper()
	o.data = t.TempDir()
	a, err := startAll(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.stop)
	front := httptest.NewServer(a.front())
	t.Cleanup(front.Close)
	w := &world{a, front.URL}
	w.serves(t)
	return w
}

// serves waits until every service does.
func (w *world) serves(t *testing.T) {
	t.Helper()
	eventually(t, "every service serves", func() bool {
		for _, p := range w.processes {
			if p.at() == "" {
				return false
			}
		}
		return true
	})
}

func (w *world) join(t *testing.T, name string) *client {
	t.Helper()
	c, err := join(t.Context(), w.url, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.ws.CloseNow() })
	return c
}

// get reads a list; ok is false while its service is away.
func get[T any](t *testing.T, url string) (list []T, ok bool) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, false
	}
	return list, json.NewDecoder(resp.Body).Decode(&list) == nil
}

// status is how presence has somebody; empty: not at all.
func (w *world) status(t *testing.T, name string) string {
	t.Helper()
	people, _ := get[seen](t, w.url+"/online")
	if i := slices.IndexFunc(people, func(s seen) bool { return s.User == name }); i >= 0 {
		return string(people[i].Status)
	}
	return ""
}

// becomes waits until presence has somebody so.
func (w *world) becomes(t *testing.T, name, status string) {
	t.Helper()
	eventually(t, name+" is "+status, func() bool { return w.status(t, name) == status })
}

// inbox is what somebody was sent.
func (w *world) inbox(t *testing.T, name string) (contents []string) {
	t.Helper()
	list, _ := get[notification](t, w.url+"/inbox/"+name)
	for _, n := range list {
		contents = append(contents, n.Content)
	}
	return contents
}

// history is all that was said.
func (w *world) history(t *testing.T) (contents []string) {
	t.Helper()
	for before := ""; ; {
		var page []message.Message
		eventually(t, "messages answers", func() (ok bool) {
			page, ok = get[message.Message](t, w.url+"/history?before="+before)
			return ok
		})
		var some []string
		for _, m := range page {
			some = append(some, m.Content)
		}
		contents = append(some, contents...)
		if len(page) < historyPage {
			return contents
		}
		before = page[0].ID.String()
	}
}
