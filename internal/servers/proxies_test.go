package servers

import (
	"fmt"
	"io"
	"net/http"
	"testing"
)

// get is what a server answers on a connection of its own.
func get(t *testing.T, addr string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func expectGet(t *testing.T, addr, want string) {
	t.Helper()
	if got, err := get(t, addr); got != want || err != nil {
		t.Fatalf("it answers %q, %v, want %q", got, err, want)
	}
}

func TestNginx(t *testing.T) {
	says := func(text string) func(string) string {
		return func(addr string) string { return fmt.Sprintf("server { listen %s; return 200 %q; }", addr, text) }
	}
	s := Nginx(t, says("one"))
	expectGet(t, s.Addr(), "one")
	for i := range 5 {
		want := fmt.Sprint("reload ", i)
		s.Reload(says(want))
		for range 20 {
			expectGet(t, s.Addr(), want)
		}
	}
	s.Kill()
	if got, err := get(t, s.Addr()); err == nil {
		t.Errorf("after Kill it answers %q", got)
	}
	s.Start()
	expectGet(t, s.Addr(), "reload 4")
	s.Stop()
	s.Reload(says("other"))
	expectGet(t, s.Addr(), "other")
}

func TestHAProxy(t *testing.T) {
	s := HAProxy(t, func(addr string) string {
		return fmt.Sprintf("frontend f\n    bind %s\n    mode http\n    timeout client 5s\n    http-request return status 200 content-type text/plain string here\n", addr)
	})
	expectGet(t, s.Addr(), "here")
	s.Kill()
	if got, err := get(t, s.Addr()); err == nil {
		t.Errorf("after Kill it answers %q", got)
	}
	s.Start()
	expectGet(t, s.Addr(), "here")
}
