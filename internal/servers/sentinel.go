package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// SentinelMaster is the name by which sentinels know the master.
const SentinelMaster = "gatehouse"

// Sentinels is a Redis master, its replica, and three sentinels of whom two must agree. Master and Replica are who they were at
// the start: the sentinels swap them when the master is down for two seconds, and make it a replica when it is back. A machine
// that is busy enough looks down to them: what a test asserts should hold after one more failover, too.
type Sentinels struct {
	Master, Replica *Server
	Cluster         // the sentinels, whom a client asks for the master
}

// Sentinel starts all five, and returns when the sentinels know each other and the replica.
func Sentinel(t testing.TB) *Sentinels {
	t.Helper()
	path := program(t, "redis-sentinel", debianRedis)
	master := Redis(t)
	ip, port := split(master.Addr())
	c := &Sentinels{Master: master, Replica: newRedis(t, "redis", "--replicaof", ip+" "+port)}
	c.Replica.Start()
	c.Replica.ready = func(ctx context.Context) error {
		return redisSays(ctx, c.Replica.addr, "INFO replication", "master_link_status:up")
	}
	c.Replica.await()
	c.Replica.ready = master.ready
	for range 3 {
		c.Nodes = append(c.Nodes, newSentinel(t, path, ip, port))
	}
	for _, s := range c.Nodes {
		s.launch()
	}
	for _, s := range c.Nodes {
		s.await()
		alive := s.ready
		s.ready = func(ctx context.Context) error {
			return redisSays(ctx, s.addr, "INFO sentinel", fmt.Sprintf("master0:name=%s,status=ok,address=%s,slaves=1,sentinels=3", SentinelMaster, master.addr))
		}
		s.await()
		s.ready = alive
	}
	return c
}

// newSentinel makes a sentinel that is not yet running. It keeps what it learns in its configuration file.
func newSentinel(t testing.TB, path, ip, port string) *Server {
	t.Helper()
	own := strconv.Itoa(freePort(t, 1))
	s := newServer(t, "redis-sentinel", net.JoinHostPort(host(0), own))
	file := filepath.Join(s.dir, "sentinel.conf")
	config := fmt.Sprintf(`bind %[1]s
port %[2]s
dir %[3]s
sentinel announce-ip %[1]s
sentinel monitor %[4]s %[5]s %[6]s 2
sentinel down-after-milliseconds %[4]s 2000
sentinel failover-timeout %[4]s 5000
`, host(0), own, s.dir, SentinelMaster, ip, port)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatalf("servers: %v", err)
	}
	s.command = func() *exec.Cmd { return exec.Command(path, file) }
	// They look around every 10 and 2 seconds; tests have less time. It is no setting of the file, so every start says it.
	s.ready = func(ctx context.Context) error {
		return redisSays(ctx, s.addr, "SENTINEL DEBUG info-period 500 publish-period 500", "+OK")
	}
	return s
}
