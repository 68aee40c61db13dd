package postgres

import (
	"context"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/jackc/pgx/v5"
)

var namespaces atomic.Int64

// namespace makes a schema of its own on a server, and returns a URL that leads into it.
func namespace(t testing.TB, s *servers.PostgresServer) string {
	t.Helper()
	name := fmt.Sprintf("case%d", namespaces.Add(1))
	run(t, s.URL(), "CREATE SCHEMA "+name)
	return s.URL() + "&search_path=" + name
}

// run runs statements.
func run(t testing.TB, url, statements string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// ask runs a query of one value.
func ask[T any](t testing.TB, url, query string, args ...any) (v T) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if err := c.QueryRow(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func opened(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// follow opens a replica.
func follow(t testing.TB, s *Store, url string) *Replica {
	t.Helper()
	r, err := s.Replica(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// said is a message of the nth second of 2026.
func said(channel string, n int) message.Message {
	return message.Message{ID: message.At(start.Add(time.Duration(n) * time.Second)), Channel: channel, Author: "ann", Content: fmt.Sprint("message ", n)}
}

// eventually waits for what happens in its own time.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	end := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// contents shows a channel.
func contents(t testing.TB, s interface {
	Page(context.Context, string, message.Query) ([]message.Message, error)
}, channel string) (text string) {
	t.Helper()
	page, err := s.Page(t.Context(), channel, message.Query{Limit: message.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page {
		text += m.Content + ";"
	}
	return text
}

// asClerk is a URL for a role with few rights.
func asClerk(t testing.TB, of string) string {
	t.Helper()
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.User("clerk")
	return u.String()
}
