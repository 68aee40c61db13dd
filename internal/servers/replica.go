package servers

import (
	"context"
	"fmt"
)

// Replica starts a server that follows this one by streaming replication, and is read-only. A slot on this server keeps what
// the replica has not read, for as long as it may be down. Its own Replica follows it in turn.
func (s *PostgresServer) Replica() *PostgresServer {
	s.t.Helper()
	s.replicas++
	r := newPostgres(s.t, s.programs)
	r.run(s.programs.command("pg_basebackup", "--pgdata", r.data(), "--dbname", s.URL(), "--checkpoint", "fast", "--no-sync",
		"--write-recovery-conf", "--wal-method", "stream", "--create-slot", "--slot", fmt.Sprintf("replica%d", s.replicas)))
	r.Start()
	return r
}

// PauseReplay has a replica go on receiving and stop applying: a lag that lasts until ResumeReplay. Nothing is applied after it
// returned.
func (s *PostgresServer) PauseReplay() {
	s.t.Helper()
	s.Query("select pg_wal_replay_pause()")
	err := poll(func(context.Context) error {
		if state := s.Query("select pg_get_wal_replay_pause_state()"); state != "paused" {
			return fmt.Errorf("replay is %s", state)
		}
		return nil
	}, s.process.ended)
	if err != nil {
		s.t.Fatalf("servers: pause the replay at %s: %v", s.addr, err)
	}
}

// ResumeReplay has a replica catch up.
func (s *PostgresServer) ResumeReplay() {
	s.t.Helper()
	s.Query("select pg_wal_replay_resume()")
}
