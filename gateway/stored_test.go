package gateway

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// What a store gives back is written to clients: whatever does not make sense
// is refused, once and for all, and its client is told.
func TestStoredBytesThatMakeNoSense(t *testing.T) {
	event := func(e string) string { return `{"acked":2,"numbered":1,"events":[` + e + `]}` }
	g, url := testGateway(t, shared(t, nil))
	store := g.opts.Sessions.(*MemorySessions)
	for name, data := range map[string]string{
		"nothing":                  "",
		"another version":          "\x09{}",
		"not JSON":                 "\x01{",
		"no marks":                 "\x01{}",
		"more numbers than events": "\x01" + `{"acked":2,"numbered":2,"events":[{"type":"E","data":1}]}`,
		"less than none":           "\x01" + `{"acked":2,"numbered":-1}`,
		"sequences beyond numbers": "\x01" + `{"acked":18446744073709551615,"numbered":1,"events":[{"type":"E","data":1}]}`,
		"a type with a quote":      "\x01" + event(`{"type":"E\",\"d\":0}","data":1}`),
		"no type":                  "\x01" + event(`{"data":1}`),
		"no data":                  "\x01" + event(`{"type":"E"}`),
		"data that is no text":     "\x01" + event(`{"type":"E","data":"`+"\xff"+`"}`),
		"a number without end":     "\x01" + event(`{"type":"E","data":1e999}`),
		"a class of its own":       "\x01" + event(`{"type":"E","data":1,"class":9}`),
		"a reply that is no text":  "\x01" + `{"acked":2,"replies":[{"command":"C","nonce":1,"data":"` + "\xff" + `"}]}`,
		"an order of its own":      "\x01" + `{"acked":2,"orders":[{"what":"BAN","topics":["t"]}]}`,
		"a copy of its own":        "\x12{}",
		"a reply without data":     "\x01" + `{"acked":2,"replies":[{"command":"C","nonce":1}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			id := newSessionID()
			if err := store.Save(t.Context(), "a test", StoredSession{ID: id, User: "ann", Expires: time.Now().Add(time.Minute), Data: []byte(data)}); err != nil {
				t.Fatal(err)
			}
			c := resume(t, url, "ann", id, 1)
			if m := c.want(9, ""); string(m.D) != "false" {
				t.Errorf("%v", m)
			}
			if n := store.Len(); n != 0 {
				t.Errorf("%d records are kept", n)
			}
		})
	}
}

func TestMemoryStateThatMakesNoSense(t *testing.T) {
	for name, event := range map[string]string{
		"a type with a quote":  `{"topic":"t","type":"\"","data":1}`,
		"no data":              `{"topic":"t","type":"E"}`,
		"data that is no text": `{"topic":"t","type":"E","data":"` + "\xff" + `"}`,
		"a class of its own":   `{"topic":"t","type":"E","data":1,"class":9}`,
	} {
		t.Run(name, func(t *testing.T) {
			rest := strings.Repeat(`,{"epoch":1}`, topicStripes-1)
			state := func(event string) []byte {
				return fmt.Appendf(nil, "\x01"+`{"partitions":[{"epoch":1,"offset":9,"history":[%s]}%s]}`, event, rest)
			}
			if err := NewMemoryBroker(MemoryBrokerOptions{}).UnmarshalBinary(state(`{"topic":"t","type":"E","data":1}`)); err != nil {
				t.Fatal(err)
			}
			b := NewMemoryBroker(MemoryBrokerOptions{})
			if err := b.UnmarshalBinary(state(event)); err == nil {
				t.Error("taken")
			}
			if b.partitions[0].offset != 0 {
				t.Error("half of it was taken")
			}
		})
	}
}

// askedSessions notes what it was asked for.
type askedSessions struct {
	*MemorySessions
	asked []string
}

func (s *askedSessions) Take(ctx context.Context, node, id string) (StoredSession, error) {
	s.asked = append(s.asked, id)
	return s.MemorySessions.Take(ctx, node, id)
}

// The store is asked for nothing but what can be a session's id: a key of its
// own making is a client's way into it.
func TestStoreIsAskedForSessionsOnly(t *testing.T) {
	store := &askedSessions{MemorySessions: NewMemorySessions()}
	_, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	for _, id := range []string{"", "*", "a b\r\nDEL c", strings.Repeat("0", 31), strings.Repeat("0", 4000), strings.Repeat("G", 32)} {
		c := dial(t, url)
		c.want(10, "")
		c.resume("ann", id, 1)
		if m := c.want(9, ""); string(m.D) != "false" {
			t.Errorf("%v", m)
		}
	}
	c := resume(t, url, "ann", strings.Repeat("0", 32), 1)
	c.want(9, "")
	if len(store.asked) != 1 {
		t.Errorf("asked for %q", store.asked)
	}
}
