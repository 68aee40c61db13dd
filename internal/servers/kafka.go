package servers

import (
	"context"
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
	java := program(t, "java", debianJava)
	jars := jars(t, "kafka")
	port := strconv.Itoa(freePort(t, 1))
	s := newServer(t, "kafka", net.JoinHostPort(host(0), port))
	properties := filepath.Join(s.dir, "server.properties")
	filled := strings.NewReplacer("ADDRESS", s.addr, "CONTROLLER_AT", net.JoinHostPort(host(0), strconv.Itoa(freePort(t, 1))),
		"DATA", filepath.Join(s.dir, "data")).Replace(kafkaProperties) + strings.Join(options, "\n") + "\n"
	if err := os.WriteFile(properties, []byte(filled), 0o644); err != nil {
		t.Fatalf("servers: %v", err)
	}
	command := func(class string, args ...string) *exec.Cmd {
		return exec.Command(java, append(javaOptions("256m", "-Dlog4j2.level=WARN", "-cp", jars, class), args...)...)
	}
	s.run(command("kafka.tools.StorageTool", "format", "--standalone", "--cluster-id", "Z2F0ZWhvdXNlLXRlc3RzLg", "--config", properties))
	s.command = func() *exec.Cmd { return command("kafka.Kafka", properties) }
	s.ready = func(ctx context.Context) error { return kafkaReady(ctx, s.addr) }
	s.Start()
	return s
}

// kafkaReady asks a broker who is in its cluster, as every client does: nobody, until the controller let it in.
func kafkaReady(ctx context.Context, addr string) error {
	const metadata, version = 3, 1
	answer, err := kafkaAsk(ctx, addr, metadata, version, []byte{0, 0, 0, 0}) // of no topic
	if err != nil {
		return err
	}
	if len(answer) < 4 || binary.BigEndian.Uint32(answer) != 1 {
		return fmt.Errorf("metadata without a broker: %q", answer)
	}
	return nil
}

// kafkaAsk sends one request and returns the body of the answer.
func kafkaAsk(ctx context.Context, addr string, key, version uint16, body []byte) ([]byte, error) {
	conn, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
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
	_, err = io.ReadFull(conn, answer)
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
