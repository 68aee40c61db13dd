package servers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PostgresServer is a PostgreSQL server, with a superuser postgres who needs no password.
type PostgresServer struct {
	*Server
	programs postgresPrograms
	replicas int
}

// Postgres starts a PostgreSQL server with an empty database. It does not wait for the disk: a Kill loses nothing that was
// committed, a loss of power would. Options are as in postgresql.conf: "max_connections=20".
func Postgres(t testing.TB, options ...string) *PostgresServer {
	t.Helper()
	s := newPostgres(t, findPostgres(t), options...)
	s.run(s.programs.command("initdb", "--pgdata", s.data(), "--username", "postgres", "--auth", "trust",
		"--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"))
	s.Start()
	return s
}

// newPostgres makes a server that has no data yet.
func newPostgres(t testing.TB, programs postgresPrograms, options ...string) *PostgresServer {
	t.Helper()
	port := strconv.Itoa(freePort(t, 1))
	s := &PostgresServer{Server: newServer(t, "postgres", net.JoinHostPort(host(0), port)), programs: programs}
	if programs.owner != nil {
		if err := os.Chown(s.dir, programs.owner[0], programs.owner[1]); err != nil {
			t.Fatalf("servers: %v", err)
		}
	}
	args := []string{"-D", s.data(), "-h", host(0), "-p", port, "-k", s.dir, "-F", "-c", "shared_buffers=16MB"}
	for _, option := range options {
		args = append(args, "-c", option)
	}
	s.quit = syscall.SIGINT // SIGTERM would wait for every client to leave
	s.command = func() *exec.Cmd { return programs.command("postgres", args...) }
	s.ready = func(ctx context.Context) error {
		return exec.CommandContext(ctx, programs.path("pg_isready"), "-q", "-h", host(0), "-p", port).Run()
	}
	return s
}

// URL is what clients of libpq's kind connect to.
func (s *PostgresServer) URL() string {
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", s.addr)
}

// Query runs SQL through psql and returns the rows as lines with | between columns. The test ends when the server refuses it.
func (s *PostgresServer) Query(sql string) string {
	s.t.Helper()
	return strings.TrimSuffix(s.run(s.programs.command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", s.URL(), "-c", sql)), "\n")
}

func (s *PostgresServer) data() string { return filepath.Join(s.dir, "data") }

// postgresPrograms is where the programs are, and whom they run as: they refuse root.
type postgresPrograms struct {
	dir   string
	owner *[2]int // user and group; nil: whoever runs the test
}

// findPostgres looks where Debian has the newest version, then in PATH.
func findPostgres(t testing.TB) postgresPrograms {
	t.Helper()
	asked(t)
	var p postgresPrograms
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		p.dir = filepath.Dir(found[len(found)-1])
	} else {
		p.dir = filepath.Dir(program(t, "postgres", debianPostgres))
	}
	if os.Getuid() == 0 {
		account, err := user.Lookup("postgres")
		if err != nil {
			missing(t, "a user postgres for its server, which refuses root,", debianPostgres)
		}
		uid, _ := strconv.Atoi(account.Uid)
		gid, _ := strconv.Atoi(account.Gid)
		p.owner = &[2]int{uid, gid}
	}
	return p
}

func (p postgresPrograms) path(name string) string { return filepath.Join(p.dir, name) }

func (p postgresPrograms) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(p.path(name), args...)
	if p.owner != nil {
		runAs(cmd, p.owner[0], p.owner[1])
	}
	return cmd
}
