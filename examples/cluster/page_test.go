package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// The page's buttons do what they say, and other sites' pages cannot press them.
func TestButtons(t *testing.T) {
	w := newWorld(t, options{nodes: 1, clients: 4, rate: 30, lease: time.Second, drainRate: 100})
	defer w.stop()
	press := func(path string, want int, origin ...string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), "POST", path, nil)
		if len(origin) > 0 {
			r.Header.Set("Origin", origin[0])
		}
		answer := httptest.NewRecorder()
		w.handler().ServeHTTP(answer, r)
		if answer.Code != want {
			t.Errorf("%s: %d, want %d: %s", path, answer.Code, want, answer.Body)
		}
	}
	shows := func(id int, state string, cut bool) {
		t.Helper()
		eventually(t, "the page shows it", func() bool {
			answer := httptest.NewRecorder()
			w.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/state", nil))
			var v view
			if err := json.Unmarshal(answer.Body.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(v.Nodes, func(n nodeView) bool { return n.ID == id && n.State == state && n.Cut == cut })
		})
	}
	press("/nodes", http.StatusForbidden, "https://elsewhere.example")
	press("/nodes", http.StatusOK)
	shows(2, alive, false)
	press("/nodes/1/drain", http.StatusOK)
	shows(1, drained, false)
	press("/nodes/1/drain", http.StatusConflict)
	press("/nodes/2/cut", http.StatusOK)
	shows(2, alive, true)
	press("/nodes/2/mend", http.StatusOK)
	shows(2, alive, false)
	press("/nodes", http.StatusOK)
	press("/nodes/2/kill", http.StatusOK)
	shows(2, killed, false)
	w.steady(t)

	answer := httptest.NewRecorder()
	w.handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if body := answer.Body.String(); !strings.Contains(body, "</html>") || strings.Contains(body, "http") {
		t.Error("the page is not whole, or loads something from elsewhere")
	}
}
