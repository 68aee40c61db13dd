package redis_test

import (
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// Slots go to another master under load, there and back, until one has none and leaves: nothing is lost, and
// nobody is told that it was.
func TestBrokerReshard(t *testing.T) {
	t.Parallel()
	c := servers.RedisCluster(t, 3, 0)
	const most, all = 2500, 16384 // of the 5,461 of a master
	besiege(t, func() goredis.UniversalClient { return connect(t, c.Addrs()...) }, true, func(busy func()) {
		servers.MoveSlots(c.Nodes[0], c.Nodes[1], most)
		busy()
		servers.MoveSlots(c.Nodes[1], c.Nodes[0], most)
		busy()
		servers.MoveSlots(c.Nodes[2], c.Nodes[0], all) // which are as many as it has
		busy()
		servers.RemoveNode(c.Nodes[0], c.Nodes[2])
		busy()
	})
}
