package servers

import (
	"bytes"
	"context"
	"testing"
	"time"
)

func TestCassandra(t *testing.T) {
	c := Cassandra(t, 3)
	first, third := c.Nodes[0], c.Nodes[2]
	run := func(s *Server, statement string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return cql(ctx, s.Addr(), cqlQuorum, statement)
	}
	// Tables and deaths get around, they are not announced; and a node that is busy times out.
	must := func(what string, s *Server, statement string) (answer []byte) {
		t.Helper()
		var err error
		defer func() {
			if err != nil {
				t.Log(err)
			}
		}()
		eventually(t, what, func() bool { answer, err = run(s, statement); return err == nil })
		return answer
	}
	must("keyspace", first, "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}")
	must("table", first, "CREATE TABLE IF NOT EXISTS k.t (id int PRIMARY KEY, v text)")
	must("quorum of three", first, "INSERT INTO k.t (id, v) VALUES (1, 'written by three')")
	third.Kill()
	if _, err := run(third, "SELECT key FROM system.local"); err == nil {
		t.Error("after Kill it answers")
	}
	must("quorum of two", first, "INSERT INTO k.t (id, v) VALUES (2, 'written by two')")
	third.Start()
	for statement, want := range map[string]string{
		"SELECT v FROM k.t WHERE id = 1": "written by three",
		"SELECT v FROM k.t WHERE id = 2": "written by two",
	} {
		if got := must("quorum for the one that is back", third, statement); !bytes.Contains(got, []byte(want)) {
			t.Errorf("%s: %q, want %q", statement, got, want)
		}
	}
}
