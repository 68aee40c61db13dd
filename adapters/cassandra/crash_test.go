package cassandra

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// oneKilled kills a node, looks whether two do everything, then kills others at random instants
// under load. Senders must not even notice: what failed is counted.
func oneKilled(t *testing.T, c *servers.Cluster, s *Store) {
	channel := fresh("channel")
	must(t, s.Append(t.Context(), channel, saidAll(channel, 1, 3)))
	c.Nodes[0].Kill()
	ctx := within(t, 30*time.Second)
	wantContents(t, s, channel, "message 1;message 2;message 3;")
	must(t, s.Append(ctx, channel, saidAll(channel, 3, 5)))
	edit := said(channel, 4)
	edit.Content = "edited"
	eventually(t, "an edit", func() bool { return s.Edit(ctx, edit) == nil }) // the dead are not missed at once
	eventually(t, "a deletion", func() bool { _, err := s.Delete(ctx, channel, said(channel, 1).ID); return err == nil })
	wantContents(t, s, channel, "message 2;message 3;edited;message 5;")
	other := open(t, urlOf(c, "chat"), Options{})
	wantContents(t, other, channel, "message 2;message 3;edited;message 5;")
	c.Nodes[0].Start()

	storm(t, s, func(w *witness) {
		node := c.Nodes[rand.N(3)]
		node.Kill()
		w.awaitMore(t)
		node.Start()
	})
	wantContents(t, s, channel, "message 2;message 3;edited;message 5;")
}

// allKilled kills every node at once, under load: what was acknowledged is in their commit logs.
func allKilled(t *testing.T, c *servers.Cluster, s *Store) {
	storm(t, s, func(*witness) {
		began := time.Now()
		for _, node := range c.Nodes {
			node.Kill()
		}
		if _, err := s.Page(within(t, 5*time.Second), "7", message.Query{Limit: 1}); err == nil {
			t.Error("a page of nobody")
		}
		t.Logf("killed and asked within %v", time.Since(began))
		for _, node := range c.Nodes {
			node.Start()
		}
	})
}
