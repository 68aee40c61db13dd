package servers

import (
	"os/exec"
	"strings"
	"testing"
)

func TestSecuredRedis(t *testing.T) {
	s := SecuredRedis(t)
	host, port := split(s.Addr())
	for _, tt := range []struct{ password, want string }{{s.Password, "PONG"}, {"wrong", "WRONGPASS"}} {
		cmd := exec.Command("redis-cli", "-h", host, "-p", port, "--tls", "--insecure", "--user", s.User, "--pass", tt.password, "PING")
		if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), tt.want) {
			t.Errorf("with %q: %s, want %s", tt.password, out, tt.want)
		}
	}
	if err := redisSays(t.Context(), s.Addr(), "PING", "+PONG"); err == nil {
		t.Error("it answers without TLS")
	}
	s.Kill()
	s.Start()
}

func TestMoveSlots(t *testing.T) {
	c := RedisCluster(t, 3, 0)
	from, to := c.Nodes[2], c.Nodes[0]
	expectRedis(t, from.Addr(), "OK", "SET key kept") // slot 12539: the 1,617th of this node
	MoveSlots(from, to, 2000)
	expectRedis(t, to.Addr(), "kept", "GET key")
	MoveSlots(from, to, 16384)
	RemoveNode(to, from)
	eventually(t, "two that have everything", func() bool {
		info := redis(t, to.Addr(), "CLUSTER INFO")
		return strings.Contains(info, "cluster_known_nodes:2") && strings.Contains(info, "cluster_slots_ok:16384")
	})
}
