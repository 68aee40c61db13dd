package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// Fields that a newer version has added to a session's record are no reason to refuse it, whole or a copy.
func TestAddedFieldsAreIgnored(t *testing.T) {
	g, url := testGateway(t, shared(t, nil))
	store := g.opts.Sessions.(*MemorySessions)
	for version, kind := range []string{1: "record", 2: "copy"} {
		if kind == "" {
			continue
		}
		data := fmt.Sprintf(`{"colour":{"r":1},"acked":2,"numbered":1,"events":[{"type":"E","data":1,"shade":[1]%s}],"topics":[{"name":"t","at":%s,"since":1}]}`,
			map[bool]string{true: `,"seq":2`}[version == 2], placeOf(t, g))
		id := newSessionID()
		rec := StoredSession{ID: id, User: "ann", Expires: time.Now().Add(time.Minute), Data: append([]byte{byte(version)}, data...)}
		if err := store.Save(t.Context(), "a newer node", rec); err != nil {
			t.Fatal(err)
		}
		c := resume(t, url, "ann", id, 1)
		c.want(0, "E")
		c.want(0, "RESUMED")
		publishNumbers(t, g, "t", 0, 2)
		c.wantEvents(3, 0, 2)
	}
}

// placeOf is where topic t is.
func placeOf(t *testing.T, g *Gateway) string {
	t.Helper()
	f, err := g.opts.Broker.Open(t.Context(), func(Record) {})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close(context.Background())
	at, err := f.Follow(t.Context(), "t")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(at)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// newerSessions is a store of a version that cannot read what it keeps.
type newerSessions struct{ *MemorySessions }

func (s newerSessions) Take(context.Context, string, string) (StoredSession, error) {
	return StoredSession{}, fmt.Errorf("a store: %w", ErrVersion)
}

// A store that cannot read a session's record says so, and the client is told that its session is over.
func TestStoreOfAnOlderVersion(t *testing.T) {
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = newerSessions{NewMemorySessions()} }))
	c := resume(t, url, "ann", newSessionID(), 1)
	if m := c.want(9, ""); string(m.D) != "false" {
		t.Errorf("%v", m)
	}
	if n := g.Stats().ResumesRefused["version"]; n != 1 {
		t.Errorf("%d refused for the version", n)
	}
}

// An order that is not understood may be a ban of a newer version's: the user's sessions end, and are told.
func TestOrderOfANewerVersion(t *testing.T) {
	for name, rec := range map[string]Record{
		"a type of its own": {Type: "BAN", Data: []byte(`{"node":"another","until":1}`)},
		"data of its own":   {Type: orderKick, Data: []byte(`["another"]`)},
	} {
		t.Run(name, func(t *testing.T) {
			g, url := testGateway(t, shared(t, nil))
			ann, session := signIn(t, url, "ann")
			bob, _ := signIn(t, url, "bob")
			rec.Topic = topicsOfUsers + "ann"
			if err := g.opts.Broker.Publish(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			ann.wantClose(CloseTimedOut)
			resume(t, url, "ann", session, 1).want(9, "")
			publishNumbers(t, g, "t", 0, 2)
			bob.wantEvents(2, 0, 2)
		})
	}
}
