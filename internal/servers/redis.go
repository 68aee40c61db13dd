package servers

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Redis starts a Redis server that writes all it is told to its append-only file, so that a Kill loses nothing it answered for.
// More options are as in redis.conf, with two dashes: "--maxmemory", "10mb".
func Redis(t testing.TB, options ...string) *Server {
	t.Helper()
	s := newRedis(t, "redis", options...)
	s.Start()
	return s
}

// SecuredRedis starts a Redis server that speaks TLS only and knows one user, who may do everything.
func SecuredRedis(t testing.TB, options ...string) *Secured {
	t.Helper()
	certificate := NewCertificate(t)
	trust := certificate.Trust(t)
	s := newRedis(t, "redis", options...)
	plain := s.command
	s.command = func() *exec.Cmd {
		cmd := plain()
		_, port := split(s.addr)
		cmd.Args = append(cmd.Args,
			"--port", "0", "--tls-port", port, "--tls-auth-clients", "no",
			"--tls-cert-file", certificate.Cert, "--tls-key-file", certificate.Key, "--tls-ca-cert-file", certificate.Cert,
			"--user", "default", "off", "--user", securedUser, "on", ">"+securedPassword, "~*", "&*", "+@all")
		return cmd
	}
	s.ready = func(ctx context.Context) error { return redisAnswers(ctx, s.addr, trust) }
	s.Start()
	return &Secured{s, securedUser, securedPassword, trust}
}

// newRedis makes a Redis server that is not yet running.
func newRedis(t testing.TB, name string, options ...string) *Server {
	t.Helper()
	path := program(t, "redis-server", debianRedis)
	port := strconv.Itoa(freePort(t, 1))
	s := newServer(t, name, net.JoinHostPort(host(0), port))
	options = append([]string{
		"--bind", host(0), "--port", port, "--dir", s.dir, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "no", // to the kernel before it answers; a disk would only slow the tests
		"--save", "", "--replica-announce-ip", host(0), "--repl-diskless-sync-delay", "0",
	}, options...)
	s.command = func() *exec.Cmd { return exec.Command(path, options...) }
	s.ready = func(ctx context.Context) error { return redisSays(ctx, s.addr, "PING", "+PONG") }
	return s
}

// redisSays sends an inline command and fails unless a line of the answer is the one that is wanted.
func redisSays(ctx context.Context, addr, command, want string) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	return redisSaysTo(conn, command, want)
}

// redisAnswers fails unless a Redis server that speaks TLS wants to know who asks.
func redisAnswers(ctx context.Context, addr string, trust *tls.Config) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	trust = trust.Clone()
	trust.ServerName, _ = split(addr)
	return redisSaysTo(tls.Client(conn, trust), "PING", "-NOAUTH Authentication required.")
}

func redisSaysTo(conn net.Conn, command, want string) error {
	if _, err := fmt.Fprintf(conn, "%s\r\nQUIT\r\n", command); err != nil {
		return err
	}
	var answer []string
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if lines.Text() == want {
			return nil
		}
		answer = append(answer, lines.Text())
	}
	return fmt.Errorf("no %q in the answer to %s: %q", want, command, strings.Join(answer, "\n"))
}

// dial connects, and has every read and write fail when ctx is over.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(patience)
	}
	return conn, conn.SetDeadline(deadline)
}
