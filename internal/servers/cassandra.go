package servers

import (
	"context"
	"embed"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

//go:embed maven/cassandra/jvm17.options maven/cassandra/cassandra.yaml maven/cassandra/logback.xml
var cassandraFiles embed.FS

// Cassandra starts so many nodes (1 to 4) of one Cassandra cluster, at different addresses and the same port, as drivers that
// discover nodes want it. They divide the ring evenly, and there is no password. A node that is killed needs a moment to be missed:
// until then, statements that wait for it time out.
func Cassandra(t testing.TB, nodes int) *Cluster {
	t.Helper()
	if nodes < 1 || nodes > 4 || (nodes > 1 && host(0) == host(1)) {
		t.Fatalf("servers: %d Cassandra nodes, on addresses %s and up", nodes, host(0))
	}
	native, storage := freePort(t, nodes), freePort(t, nodes)
	c := &Cluster{}
	for i := range nodes {
		token := strconv.FormatInt(math.MinInt64+int64(i)*(math.MaxUint64/4/int64(nodes)*4), 10)
		c.Nodes = append(c.Nodes, newCassandra(t, i, token, native, storage))
	}
	c.Nodes[0].Start() // the seed: others ask it who is there
	for _, s := range c.Nodes[1:] {
		s.launch()
	}
	for _, s := range c.Nodes[1:] {
		s.await()
	}
	for _, s := range c.Nodes {
		s.untilAllAreUp(nodes)
	}
	return c
}

// newCassandra makes the nth node of a cluster, which is not yet running.
func newCassandra(t testing.TB, n int, token string, native, storage int) *Server {
	t.Helper()
	java := program(t, "java", debianJava)
	classes := jars(t, "cassandra")
	agents, err := filepath.Glob(filepath.Join(filepath.Dir(classes), "jamm-*.jar")) // measures objects
	if err != nil || len(agents) != 1 {
		t.Fatalf("servers: %d jamm-*.jar among the jars of Cassandra", len(agents))
	}
	s := newServer(t, "cassandra", address(n, native))
	fill := strings.NewReplacer("HOST", host(n), "STORAGE_PORT", strconv.Itoa(storage), "NATIVE_PORT", strconv.Itoa(native),
		"SEED", strconv.Quote(address(0, storage)), "TOKEN", token, "DIR", s.dir)
	for _, name := range []string{"jvm17.options", "cassandra.yaml", "logback.xml"} {
		text, err := cassandraFiles.ReadFile("maven/cassandra/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(s.dir, name), []byte(fill.Replace(string(text))), 0o644)
		}
		if err != nil {
			t.Fatalf("servers: %v", err)
		}
	}
	args := javaOptions("400m", "-javaagent:"+agents[0], "@"+filepath.Join(s.dir, "jvm17.options"),
		"-Dcassandra.storagedir="+s.dir, "-Djava.io.tmpdir="+s.dir,
		"-Dcassandra.config=file://"+filepath.Join(s.dir, "cassandra.yaml"),
		"-Dlogback.configurationFile=file://"+filepath.Join(s.dir, "logback.xml"),
		"-cp", classes, "org.apache.cassandra.service.CassandraDaemon")
	s.command = func() *exec.Cmd { return exec.Command(java, args...) }
	s.ready = func(ctx context.Context) error {
		_, err := cql(ctx, s.addr, cqlOne, "SELECT key FROM system.local")
		return err
	}
	return s
}

// untilAllAreUp waits until a node of so many knows that the others are up: they answer for a table of which three have a copy.
func (s *Server) untilAllAreUp(nodes int) {
	s.t.Helper()
	consistency := map[int]uint16{1: cqlOne, 2: cqlTwo}[nodes]
	if consistency == 0 {
		consistency = cqlThree
	}
	serves := s.ready
	s.ready = func(ctx context.Context) error {
		for copyOf := range nodes { // of a ring of four, three have one
			_, err := cql(ctx, s.addr, consistency, fmt.Sprintf(
				"SELECT * FROM system_distributed.view_build_status WHERE keyspace_name = 'k%d' AND view_name = 'v'", copyOf))
			if err != nil {
				return err
			}
		}
		return nil
	}
	s.await()
	s.ready = serves // a node may be started while another is down
}
