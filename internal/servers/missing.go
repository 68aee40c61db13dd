package servers

import (
	"os"
	"os/exec"
	"testing"
)

// missing ends a test for which something is not installed: it is skipped, and where CI is "true" it fails, since CI installs
// what tests need.
func missing(t testing.TB, what, how string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("servers: %s is not installed: %s", what, how)
	}
	t.Skipf("%s is not installed: %s", what, how)
}

// asked ends a test whose caller did not ask for real servers: the JVMs among them take minutes.
func asked(t testing.TB) {
	t.Helper()
	if os.Getenv("GATEHOUSE_SERVERS") != "true" {
		t.Skip("real servers are started by `make kits`, or with GATEHOUSE_SERVERS=true")
	}
}

// program is the path of a program in PATH, for who has asked.
func program(t testing.TB, name, how string) string {
	t.Helper()
	asked(t)
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, how)
	}
	return path
}

const (
	debianRedis    = "run `make servers`, or install Debian's redis-server and redis-sentinel"
	debianPostgres = "run `make servers`, or install Debian's postgresql"
	debianNginx    = "run `make servers`, or install Debian's nginx-light"
	debianHAProxy  = "run `make servers`, or install Debian's haproxy"
	debianJava     = "run `make servers`, or install Debian's openjdk-17-jre-headless"
	mavenJars      = "run `make servers`, which fetches its jars"
)
