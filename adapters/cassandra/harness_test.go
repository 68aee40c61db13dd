package cassandra

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

var namespaces atomic.Int64

// fresh names something that nothing has had before: to make a keyspace for each test, or to empty
// tables, would take Cassandra seconds.
func fresh(of string) string { return fmt.Sprintf("%s%d", of, namespaces.Add(1)) }

func urlOf(c *servers.Cluster, keyspace string) string {
	return "cassandra://" + strings.Join(c.Addrs(), ",") + "/" + keyspace
}

func open(t testing.TB, url string, o Options) *Store {
	t.Helper()
	o.Replicas = 3
	s, err := Open(within(t, time.Minute), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// within is a context of a test that ends earlier.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// namespaced gives a test channels of its own in a store that others use too.
type namespaced struct {
	*Store
	prefix string
}

func (s namespaced) Append(ctx context.Context, channel string, batch []message.Message) error {
	return s.Store.Append(ctx, s.prefix+channel, batch)
}

func (s namespaced) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	page, err := s.Store.Page(ctx, s.prefix+channel, q)
	for i := range page {
		page[i].Channel = strings.TrimPrefix(page[i].Channel, s.prefix)
	}
	return page, err
}

func (s namespaced) Edit(ctx context.Context, m message.Message) error {
	m.Channel = s.prefix + m.Channel
	return s.Store.Edit(ctx, m)
}

func (s namespaced) Delete(ctx context.Context, channel string, ids ...message.ID) ([]message.ID, error) {
	return s.Store.Delete(ctx, s.prefix+channel, ids...)
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// said is a message of the nth second of 2026.
func said(channel string, n int) message.Message {
	return message.Message{ID: message.At(start.Add(time.Duration(n) * time.Second)), Channel: channel, Author: "ann", Content: fmt.Sprint("message ", n)}
}

func saidAll(channel string, first, last int) (list []message.Message) {
	for n := first; n <= last; n++ {
		list = append(list, said(channel, n))
	}
	return list
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// contents shows a channel.
func contents(t testing.TB, s message.Store, channel string) (text string) {
	t.Helper()
	page, err := s.Page(within(t, time.Minute), channel, message.Query{Limit: message.MaxPage})
	must(t, err)
	for _, m := range page {
		text += m.Content + ";"
	}
	return text
}

func wantContents(t testing.TB, s message.Store, channel, want string) {
	t.Helper()
	if got := contents(t, s, channel); got != want {
		t.Errorf("channel %q has %q, want %q", channel, got, want)
	}
}

// eventually waits for what happens in its own time.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	end := time.After(2 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}
