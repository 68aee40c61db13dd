package servers

import (
	"os/exec"
	"strconv"
	"strings"
)

// MoveSlots moves so many slots of a Redis Cluster, with all that is in them, from one master to another. Both serve meanwhile.
func MoveSlots(from, to *Server, slots int) {
	from.t.Helper()
	from.run(redisCLI(from, "--cluster", "reshard", from.addr, "--cluster-from", nodeID(from), "--cluster-to", nodeID(to),
		"--cluster-slots", strconv.Itoa(slots), "--cluster-yes"))
}

// RemoveNode has a Redis Cluster forget a node that has no slots any more, and ends it. through is another node.
func RemoveNode(through, gone *Server) {
	through.t.Helper()
	through.run(redisCLI(through, "--cluster", "del-node", through.addr, nodeID(gone)))
	gone.Kill() // who is alone need not say goodbye
}

// nodeID is by what nodes of a cluster know one.
func nodeID(s *Server) string {
	host, port := split(s.addr)
	return strings.TrimSpace(s.run(redisCLI(s, "-h", host, "-p", port, "CLUSTER", "MYID")))
}

func redisCLI(s *Server, args ...string) *exec.Cmd {
	s.t.Helper()
	return exec.Command(program(s.t, "redis-cli", debianRedis), args...)
}
