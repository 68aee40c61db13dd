package servers

import (
	"context"
	"crypto/tls"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/servers/maven"
)

//go:embed maven/kafka/server.properties
var kafkaProperties string

// Kafka starts one Kafka broker that is its own controller (KRaft), without security. Topics are made when they are first used.
// A Kill loses nothing that was answered for. Options are as in server.properties: "num.partitions=4".
func Kafka(t testing.TB, options ...string) *Server {
	t.Helper()
	k := newKafkas(t)
	s := k.node(1, options...)
	s.Start()
	return s
}

// KafkaCluster starts so many Kafka brokers. The first is also the controller, alone: who kills it has a cluster that elects
// no leaders until it is back. A broker is taken for dead after three seconds.
func KafkaCluster(t testing.TB, brokers int, options ...string) *Cluster {
	t.Helper()
	k := newKafkas(t)
	c := &Cluster{}
	for id := range brokers {
		c.Nodes = append(c.Nodes, k.node(1+id, options...))
	}
	c.Start()
	for _, s := range c.Nodes {
		once := s.ready
		s.ready = func(ctx context.Context) error { return kafkaKnows(ctx, s.addr, brokers) }
		s.await()
		s.ready = once // of a cluster that lacks another broker a test may start one all the same
	}
	return c
}

// SecuredKafka starts a Kafka broker whose one listener speaks TLS, and knows one user by PLAIN, and by SCRAM-SHA-256.
func SecuredKafka(t testing.TB, options ...string) *Secured {
	t.Helper()
	certificate := NewCertificate(t)
	trust := certificate.Trust(t)
	k := newKafkas(t)
	k.protocol = "SASL_SSL"
	k.format = append(k.format, "--add-scram", fmt.Sprintf("SCRAM-SHA-256=[name=%s,password=%s]", securedUser, securedPassword))
	const jaas, login = "listener.name.clients.", "org.apache.kafka.common.security."
	s := k.node(1, append([]string{
		"ssl.keystore.type=PEM", "ssl.keystore.location=" + certificate.Both,
		"ssl.truststore.type=PEM", "ssl.truststore.location=" + certificate.Cert,
		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256", "sasl.mechanism.inter.broker.protocol=PLAIN",
		fmt.Sprintf("%splain.sasl.jaas.config=%splain.PlainLoginModule required username=%q password=%q user_%s=%[4]q;",
			jaas, login, securedUser, securedPassword, securedUser),
		jaas + "scram-sha-256.sasl.jaas.config=" + login + "scram.ScramLoginModule required;",
	}, options...)...)
	s.ready = func(ctx context.Context) error { return kafkaGreets(ctx, s.addr, trust) }
	s.Start()
	return &Secured{s, securedUser, securedPassword, trust}
}

// kafkas makes the brokers of one cluster.
type kafkas struct {
	t          testing.TB
	java, jars string
	controller string   // where it is
	protocol   string   // of the listener for clients
	format     []string // more for who formats the disk
}

func newKafkas(t testing.TB) *kafkas {
	t.Helper()
	java := program(t, "java", debianJava)
	return &kafkas{t, java, jars(t, "kafka"), net.JoinHostPort(host(0), strconv.Itoa(freePort(t, 1))), "PLAINTEXT", nil}
}

// node makes a broker that is not yet running. The one whose id is 1 is the controller, too.
func (k *kafkas) node(id int, options ...string) *Server {
	k.t.Helper()
	s := newServer(k.t, "kafka", net.JoinHostPort(host(0), strconv.Itoa(freePort(k.t, 1))))
	roles, listeners, how := "broker,controller", "CLIENTS://"+s.addr+",CONTROLLER://"+k.controller, "--standalone"
	if id > 1 {
		roles, listeners, how = "broker", "CLIENTS://"+s.addr, "--no-initial-controllers"
	}
	properties := filepath.Join(s.dir, "server.properties")
	filled := strings.NewReplacer("ROLES", roles, "NODE", strconv.Itoa(id), "LISTENERS", listeners, "ADDRESS", s.addr,
		"PROTOCOL", k.protocol, "CONTROLLER_AT", k.controller, "DATA", filepath.Join(s.dir, "data")).Replace(kafkaProperties)
	if err := os.WriteFile(properties, []byte(filled+strings.Join(options, "\n")+"\n"), 0o644); err != nil {
		k.t.Fatalf("servers: %v", err)
	}
	command := func(class string, args ...string) *exec.Cmd {
		return exec.Command(k.java, append(javaOptions("256m", "-Dlog4j2.level=WARN", "-cp", k.jars, class), args...)...)
	}
	format := []string{"format", how, "--cluster-id", "Z2F0ZWhvdXNlLXRlc3RzLg", "--config", properties}
	s.run(command("kafka.tools.StorageTool", append(format, k.format...)...))
	s.command = func() *exec.Cmd { return command("kafka.Kafka", properties) }
	s.ready = func(ctx context.Context) error { return kafkaKnows(ctx, s.addr, 1) }
	return s
}

// kafkaKnows asks a broker who is in its cluster, as every client does: nobody, until the controller let it in.
func kafkaKnows(ctx context.Context, addr string, brokers int) error {
	const metadata, version = 3, 1
	answer, err := kafkaAsk(ctx, addr, metadata, version, []byte{0, 0, 0, 0}) // of no topic
	if err != nil {
		return err
	}
	if len(answer) < 4 || binary.BigEndian.Uint32(answer) < uint32(brokers) {
		return fmt.Errorf("metadata of less than %d brokers: %q", brokers, answer)
	}
	return nil
}

// kafkaGreets asks a broker that speaks TLS what it understands, which strangers may ask.
func kafkaGreets(ctx context.Context, addr string, trust *tls.Config) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	trust = trust.Clone()
	trust.ServerName, _ = split(addr)
	const versions = 18
	_, err = kafkaAskAt(tls.Client(conn, trust), versions, 0, nil)
	return err
}

// kafkaAsk sends one request and returns the body of the answer.
func kafkaAsk(ctx context.Context, addr string, key, version uint16, body []byte) ([]byte, error) {
	conn, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return kafkaAskAt(conn, key, version, body)
}

func kafkaAskAt(conn net.Conn, key, version uint16, body []byte) ([]byte, error) {
	request := binary.BigEndian.AppendUint32(nil, uint32(10+len(body)))
	request = binary.BigEndian.AppendUint16(request, key)
	request = binary.BigEndian.AppendUint16(request, version)
	request = append(request, 0, 0, 0, 7, 0xff, 0xff) // correlation id, no client id
	if _, err := conn.Write(append(request, body...)); err != nil {
		return nil, err
	}
	var head [8]byte // length, correlation id
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:])
	if length < 4 || length > 1<<20 {
		return nil, fmt.Errorf("answer of %d bytes", length)
	}
	answer := make([]byte, length-4)
	_, err := io.ReadFull(conn, answer)
	return answer, err
}

// jars is the class path with everything that the named server runs on.
func jars(t testing.TB, name string) string {
	t.Helper()
	dir, err := maven.Jars(name)
	if errors.Is(err, os.ErrNotExist) {
		missing(t, name, mavenJars)
	}
	if err != nil {
		t.Fatalf("servers: %v", err)
	}
	return filepath.Join(dir, "*")
}

// javaOptions are for a server that starts soon and runs for a minute: a heap of at most so much, no long optimising, no
// files left behind.
func javaOptions(heap string, more ...string) []string {
	return append([]string{"-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"}, more...)
}
