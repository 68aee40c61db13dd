package cassandra

import (
	"flag"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

var instants = flag.Int("instants", 1, "how often TestCassandra kills a node, and all of them")

var rounds = flag.Int("rounds", 3, "how often TestCassandra has many processes make a keyspace")

// TestCassandra runs everything on one cluster of three nodes, which takes most of its time to start.
func TestCassandra(t *testing.T) {
	c := servers.Cassandra(t, 3)
	store := open(t, urlOf(c, "chat"), Options{Bucket: time.Hour}) // so that buckets are many
	t.Run("kit", func(t *testing.T) {
		messagetest.Store(t, func(testing.TB) message.Store { return namespaced{store, fresh("kit") + "/"} })
	})
	for _, tt := range []struct {
		name string
		test func(t *testing.T, c *servers.Cluster, store *Store)
	}{
		{"what it cannot keep", refuses},
		{"deleted and appended again", revived},
		{"a write that is late", late},
		{"a clock that is ahead", ahead},
		{"other processes", contended},
		{"messages that expire", expires},
		{"a channel that has been quiet", quiet},
		{"chunks", chunked},
		{"opened by many at a time", openedByMany},
		{"tables that do not fit", unfit},
		{"a node is killed", oneKilled},
		{"all nodes are killed", allKilled},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, c, store) })
	}
}
