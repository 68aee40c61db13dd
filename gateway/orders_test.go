package gateway

import (
	"context"
	"slices"
	"testing"
	"time"
)

// twoNodes are gateways that share a broker and a store, as nodes do.
func twoNodes(t *testing.T) (a, b *Gateway, urlA, urlB string) {
	options := shared(t, nil)
	a, urlA = testGateway(t, options)
	b, urlB = testGateway(t, options)
	return a, b, urlA, urlB
}

// What is asked of a user's sessions at one node reaches those at another.
func TestOrdersReachOtherNodes(t *testing.T) {
	a, b, _, urlB := twoNodes(t)
	ann, _ := signIn(t, urlB+"?ext=1", "ann")
	bob, _ := signIn(t, urlB, "bob")
	if err := a.SubscribeUser(t.Context(), "ann", "news"); err != nil {
		t.Fatal(err)
	}
	session := b.find(sessionOfUser(b, "ann"))
	eventually(t, "the session has the topic", func() bool { return slices.Contains(session.Topics(), "news") })
	publishNumbers(t, a, "news", 0, 3)
	ann.wantEvents(2, 0, 3)
	if err := a.UnsubscribeUser(t.Context(), "ann", "news"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session has left it", func() bool { return !slices.Contains(session.Topics(), "news") })
	if err := a.KickUser(t.Context(), "ann", "enough"); err != nil {
		t.Fatal(err)
	}
	ann.wantClose(CloseKicked)
	publishNumbers(t, a, "t", 0, 3)
	bob.wantEvents(2, 0, 3)
}

// They reach a session that nobody has when it is taken up again, in their order.
func TestOrdersReachStoredSessions(t *testing.T) {
	a, b, urlA, _ := twoNodes(t)
	ann, session := signIn(t, urlA, "ann")
	bob, kicked := signIn(t, urlA, "bob")
	ann.ws.CloseNow()
	bob.ws.CloseNow()
	if err := shutdown(t, a, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(context.Context, string, ...string) error{b.SubscribeUser, b.UnsubscribeUser, b.SubscribeUser} {
		if err := change(t.Context(), "ann", "news"); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.KickUser(t.Context(), "bob", "enough"); err != nil {
		t.Fatal(err)
	}
	// A node that did not ask takes them up.
	options := shared(t, func(o *Options) { o.Broker, o.Sessions = b.opts.Broker, b.opts.Sessions })
	c, urlC := testGateway(t, options)
	resume(t, urlC, "ann", session, 1).want(0, "RESUMED")
	got := c.find(session)
	eventually(t, "the session has the topic", func() bool { return slices.Contains(got.Topics(), "news") })
	resume(t, urlC, "bob", kicked, 1).want(9, "")
}

// Topics of the library's own are nobody else's.
func TestOwnTopics(t *testing.T) {
	g, url := testGateway(t, nil)
	signIn(t, url, "ann")
	s := g.find(sessionOfUser(g, "ann"))
	for what, err := range map[string]error{
		"Publish":     g.Publish(t.Context(), "gatehouse:user:ann", Event{Type: "KICK"}),
		"Subscribe":   s.Subscribe(t.Context(), "t", "gatehouse:user:ann"),
		"Unsubscribe": s.Unsubscribe(t.Context(), "gatehouse:user:ann"),
	} {
		if err == nil {
			t.Errorf("%s of one is no error", what)
		}
	}
}
