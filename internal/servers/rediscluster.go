package servers

import (
	"context"
	"os/exec"
	"strconv"
	"testing"
)

// RedisCluster starts a Redis Cluster of masters (3 or more), which hold a part of the slots each, with so many replicas of
// each. The masters are the first nodes. A node is taken for dead after two seconds; its replica then takes over in one or two.
//
// A cluster without replicas answers for all slots again only when a killed master is started again.
func RedisCluster(t testing.TB, masters, replicas int) *Cluster {
	t.Helper()
	cli := program(t, "redis-cli", debianRedis)
	c := &Cluster{}
	for range masters * (1 + replicas) {
		s := newRedis(t, "redis-cluster",
			"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000",
			"--cluster-allow-replica-migration", "no", // a master without slots stays one
			"--cluster-port", strconv.Itoa(freePort(t, 1)), "--cluster-announce-ip", host(0))
		s.launch()
		c.Nodes = append(c.Nodes, s)
	}
	for _, s := range c.Nodes {
		s.await()
	}
	create := append([]string{"--cluster", "create"}, c.Addrs()...)
	create = append(create, "--cluster-replicas", strconv.Itoa(replicas), "--cluster-yes")
	c.Nodes[0].run(exec.Command(cli, create...))
	for i, s := range c.Nodes {
		ping := s.ready
		s.ready = func(ctx context.Context) error { return redisSays(ctx, s.addr, "CLUSTER INFO", "cluster_state:ok") }
		s.await()
		if i >= masters {
			s.ready = func(ctx context.Context) error {
				return redisSays(ctx, s.addr, "INFO replication", "master_link_status:up")
			}
			s.await()
		}
		s.ready = ping // of a cluster that lacks another node a test may start one all the same
	}
	return c
}
