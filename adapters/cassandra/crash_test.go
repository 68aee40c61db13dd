package cassandra

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// oneKilled kills nodes at random instants under load, looks whether two do everything, and whether
// messages get through meanwhile.
func oneKilled(t *testing.T, c *servers.Cluster, s *Store) {
	storm(t, s, func(w *witness) {
		node := c.Nodes[rand.N(len(c.Nodes))]
		node.Kill()
		quorum(t, c, s)
		w.awaitMore(t)
		node.Start()
	})
}

// quorum does everything once. A node that is dead is not missed at once: until then transactions may
// fail that wait for it.
func quorum(t *testing.T, c *servers.Cluster, s *Store) {
	ctx, channel := within(t, time.Minute), fresh("channel")
	must(t, s.Append(ctx, channel, saidAll(channel, 1, 3)))
	edit := said(channel, 2)
	edit.Content = "edited"
	eventually(t, "an edit", func() bool { return s.Edit(ctx, edit) == nil })
	eventually(t, "a deletion", func() bool { _, err := s.Delete(ctx, channel, said(channel, 1).ID); return err == nil })
	wantContents(t, s, channel, "edited;message 3;")
	other := open(t, urlOf(c, "chat"), Options{}) // of a process that starts now
	wantContents(t, other, channel, "edited;message 3;")
}

// allKilled kills every node at once, under load: what was acknowledged is in their commit logs.
func allKilled(t *testing.T, c *servers.Cluster, s *Store) {
	storm(t, s, func(*witness) {
		c.Kill()
		began := time.Now()
		ctx := within(t, 5*time.Second)
		_, e1 := s.Page(ctx, "7", message.Query{Limit: 1})
		e2 := s.Append(ctx, "7", saidAll("7", 1, 1))
		e3 := s.Edit(ctx, said("7", 1))
		_, e4 := s.Delete(ctx, "7", said("7", 1).ID)
		if e1 == nil || e2 == nil || e3 == nil || e4 == nil || errors.Is(e3, message.ErrNotFound) {
			t.Errorf("of nobody: %v, %v, %v, %v", e1, e2, e3, e4)
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("errors of the dead took %v", took)
		}
		c.Start()
	})
}
