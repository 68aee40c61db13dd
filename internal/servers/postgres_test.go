package servers

import (
	"testing"
)

func TestPostgres(t *testing.T) {
	s := Postgres(t, "max_connections=20")
	if got := s.Query("show max_connections"); got != "20" {
		t.Errorf("the option given: %q", got)
	}
	s.Query("create table t (v text); insert into t values ('kept')")
	for _, end := range []func(){s.Kill, s.Stop} {
		end()
		s.Start()
		if got := s.Query("select v from t"); got != "kept" {
			t.Errorf("after a restart: %q", got)
		}
	}
}

func TestPostgresReplica(t *testing.T) {
	s := Postgres(t)
	r := s.Replica()
	count := func() string { return r.Query("select count(*) from t") }
	s.Query("create table t ()")
	eventually(t, "table on the replica", func() bool { return r.Query("select to_regclass('t')") == "t" })

	r.PauseReplay()
	s.Query("insert into t default values")
	eventually(t, "row received and not applied", func() bool {
		return r.Query("select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()") == "t"
	})
	if got := count(); got != "0" {
		t.Errorf("rows while paused: %s", got)
	}
	r.ResumeReplay()
	eventually(t, "row on the replica", func() bool { return count() == "1" })

	r.Kill()
	s.Query("insert into t default values")
	r.Start()
	eventually(t, "row that came while it was down", func() bool { return count() == "2" })
}
