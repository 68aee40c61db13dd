package servers

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestRedis(t *testing.T) {
	s := Redis(t, "--maxmemory", "10mb")
	expectRedis(t, s.Addr(), "maxmemory\n10485760\nOK", "CONFIG GET maxmemory", "SET key kept")
	s.Kill()
	if got := redis(t, s.Addr(), "PING"); !strings.Contains(got, "Connection refused") {
		t.Errorf("after Kill it answers %q", got)
	}
	s.Start()
	expectRedis(t, s.Addr(), "kept", "GET key")
	s.Stop()
	s.Start()
	expectRedis(t, s.Addr(), "kept", "GET key")
}

func TestRedisCluster(t *testing.T) {
	c := RedisCluster(t, 3, 1)
	if len(c.Nodes) != 6 {
		t.Fatalf("%d nodes, want 6", len(c.Nodes))
	}
	third, replicas := c.Nodes[2], c.Addrs()[3:]
	expectRedis(t, third.Addr(), "OK\n1", "SET key kept", "WAIT 1 10000") // slot 12539 of 16384
	third.Kill()
	eventually(t, "takeover by a replica", func() bool {
		return slices.ContainsFunc(replicas, func(addr string) bool { return redis(t, addr, "GET key") == "kept" })
	})
	third.Start()
	eventually(t, "old master as a replica", func() bool { return redis(t, third.Addr(), "READONLY", "GET key") == "OK\nkept" })
}

func TestSentinel(t *testing.T) {
	c := Sentinel(t)
	ask := "SENTINEL GET-MASTER-ADDR-BY-NAME " + SentinelMaster
	for _, sentinel := range c.Addrs() {
		expectRedis(t, sentinel, strings.Replace(c.Master.Addr(), ":", "\n", 1), ask)
	}
	expectRedis(t, c.Master.Addr(), "OK\n1", "SET key kept", "WAIT 1 10000")
	c.Master.Kill()
	eventually(t, "failover", func() bool {
		return redis(t, c.Addrs()[0], ask) == strings.Replace(c.Replica.Addr(), ":", "\n", 1)
	})
	expectRedis(t, c.Replica.Addr(), "kept", "GET key")
	c.Master.Start()
	eventually(t, "pair of master and replica", func() bool { // whichever it is: a busy machine has one more failover
		one, other := redis(t, c.Master.Addr(), "INFO replication"), redis(t, c.Replica.Addr(), "INFO replication")
		follows := func(a, b string) bool {
			return strings.Contains(a, "master_link_status:up") && strings.Contains(b, "connected_slaves:1")
		}
		return follows(one, other) || follows(other, one)
	})
}

// redis is what redis-cli prints for commands on one connection, errors included.
func redis(t *testing.T, addr string, commands ...string) string {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	cmd := exec.Command("redis-cli", "-h", host, "-p", port)
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n"))
	out, err := cmd.CombinedOutput()
	if len(out) == 0 && err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func expectRedis(t *testing.T, addr, want string, commands ...string) {
	t.Helper()
	if got := redis(t, addr, commands...); got != want {
		t.Errorf("%s: got %q, want %q", strings.Join(commands, "; "), got, want)
	}
}
