package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// The chat on real servers: two people talk, it is killed while many do, and all that was
// acknowledged is there once.
func TestBackends(t *testing.T) {
	binary := build(t)
	t.Run("PostgreSQL and Redis", func(t *testing.T) {
		db, queue := servers.Postgres(t), servers.Redis(t)
		c := startChat(t, binary, "-store", db.URL(), "-queue", "redis://"+queue.Addr())
		talk(t, c)
		pace(t, c)
		killed(t, c)
		down(t, c, db.Kill, db.Start)
		restarted(t, c)
	})
	t.Run("Cassandra and Kafka", func(t *testing.T) {
		db, queue := servers.Cassandra(t, 1), servers.Kafka(t)
		c := startChat(t, binary, "-store", "cassandra://"+db.Nodes[0].Addr()+"/chat", "-queue", "kafka://"+queue.Addr())
		talk(t, c)
		pace(t, c)
		killed(t, c)
		restarted(t, c)
	})
	t.Run("SQLite alone", func(t *testing.T) {
		c := startChat(t, binary)
		talk(t, c)
		pace(t, c)
		killed(t, c)
	})
	t.Run("NATS", func(t *testing.T) {
		c := startChat(t, binary, "-queue", "nats://"+startNATS(t))
		talk(t, c)
		pace(t, c)
		killed(t, c)
		restarted(t, c)
	})
}

// startNATS starts a server in this process, with its data in a folder.
func startNATS(t *testing.T) (addr string) {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: -1, StoreDir: t.TempDir(), JetStream: true, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	return s.Addr().String()
}

// talk has two people say, change and find something.
func talk(t *testing.T, c *chat) {
	t.Helper()
	ann, bob := mustJoin(t, c.url, "ann"), mustJoin(t, c.url, "bob")
	m, err := ann.say(t.Context(), "a zebra crosses")
	if err != nil {
		t.Fatal(err)
	}
	if m.ID == "" || m.Content != "a zebra crosses" || m.Nonce != m.Content {
		t.Errorf("the answer is %+v", m)
	}
	bob.hears(t, "a zebra crosses")
	t.Logf("found after %v", bob.finds(t, "zebra", 1))
	again, err := ann.say(t.Context(), "a zebra crosses")
	if err != nil || again.ID != m.ID {
		t.Errorf("sent again: %+v, %v", again, err)
	}
	var plain struct{ Nonce any }
	if err := ann.call(t.Context(), "SEND_MESSAGE", map[string]any{"channel_id": "2", "content": "no nonce"}, &plain); err != nil || plain.Nonce != nil {
		t.Errorf("without a nonce: %+v, %v", plain, err)
	}
	at := map[string]any{"channel_id": "2", "message_id": m.ID, "content": "a giraffe crosses"}
	if err := ann.call(t.Context(), "EDIT_MESSAGE", at, nil); err != nil {
		t.Fatal(err)
	}
	bob.finds(t, "giraffe", 1)
	bob.finds(t, "zebra", 0)
	if got := strings.Join(bob.history(t), "|"); got != "a giraffe crosses|no nonce" {
		t.Errorf("history is %s", got)
	}
	if err := ann.call(t.Context(), "DELETE_MESSAGE", at, nil); err != nil {
		t.Fatal(err)
	}
	bob.finds(t, "giraffe", 0)
	if err := ann.call(t.Context(), "SEND_MESSAGE", map[string]any{"channel_id": "2", "content": " "}, nil); err != answered("EMPTY") {
		t.Errorf("nothing said: %v", err)
	}
}

// pace tells how long a message takes from the page to the store and back.
func pace(t *testing.T, c *chat) {
	t.Helper()
	ann := mustJoin(t, c.url, "ann")
	took := make([]time.Duration, 25)
	for i := range took {
		began := time.Now()
		if _, err := ann.say(t.Context(), fmt.Sprint("pace ", i)); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	t.Logf("a message took %v, the median of %d", took[len(took)/2].Round(10*time.Microsecond), len(took))
}

// killed ends the chat with SIGKILL while four people talk, who send again what was not answered, as the page does.
func killed(t *testing.T, c *chat) {
	t.Helper()
	const people, each = 4, 40
	url := c.url
	var acked atomic.Int32
	var all sync.WaitGroup
	enough := make(chan struct{})
	for p := range people {
		all.Go(func() {
			if err := insist(t.Context(), url, fmt.Sprint("person", p), each, func() {
				if acked.Add(1) == people*each/3 {
					close(enough)
				}
			}); err != nil {
				t.Errorf("person %d: %v", p, err)
			}
		})
	}
	<-enough
	c.kill()
	began := time.Now()
	c.start()
	up := time.Since(began)
	ann := mustJoin(t, url, "ann")
	if _, err := ann.say(t.Context(), "first after the kill"); err != nil {
		t.Errorf("after the kill: %v", err)
	}
	t.Logf("%d messages were acknowledged; it served again after %v, and took the first message after %v", acked.Load(), up, time.Since(began))
	all.Wait()
	counts := map[string]int{}
	for _, content := range ann.history(t) {
		counts[content]++
	}
	for p := range people {
		for i := range each {
			if n := counts[words(p, i)]; n != 1 {
				t.Errorf("%q is there %d times", words(p, i), n)
			}
		}
		ann.finds(t, words(p, each-1), 1)
	}
}

func words(p, i int) string { return fmt.Sprintf("person%d word%d", p, i) }

// insist says so many things, each until it is acknowledged, and comes back when the connection is lost.
func insist(ctx context.Context, url, name string, n int, acked func()) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	var c *client
	var p int
	fmt.Sscanf(name, "person%d", &p)
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for i := 0; i < n; {
		var err error
		if c == nil {
			c, err = join(ctx, url, name)
		}
		if err == nil {
			_, err = c.say(ctx, words(p, i))
		}
		if err == nil {
			acked()
			i++
			continue
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if refused := answered(""); c != nil && !errors.As(err, &refused) {
			c.ws.CloseNow()
			c = nil
		}
		<-pause.C
	}
	c.ws.Close(1000, "")
	return nil
}

// down has somebody say something while the store is: it is held in the queue, and told when the store is back.
func down(t *testing.T, c *chat, kill, start func()) {
	t.Helper()
	ann := mustJoin(t, c.url, "ann")
	kill()
	_, err := ann.say(t.Context(), "said while the store was down")
	if err != answered("UNAVAILABLE") {
		t.Errorf("it was answered %v", err)
	}
	start()
	ann.hears(t, "said while the store was down")
	if _, err := ann.say(t.Context(), "said while the store was down"); err != nil {
		t.Errorf("said again: %v", err)
	}
	ann.finds(t, "down", 1)
}

// restarted has the chat end and begin as planned.
func restarted(t *testing.T, c *chat) {
	t.Helper()
	before := mustJoin(t, c.url, "ann").history(t)
	c.stop()
	began := time.Now()
	c.start()
	ann := mustJoin(t, c.url, "ann")
	if got := ann.history(t); !slices.Equal(got, before) {
		t.Errorf("%d messages before, %d after", len(before), len(got))
	}
	if _, err := ann.say(t.Context(), "first after the restart"); err != nil {
		t.Error(err)
	}
	t.Logf("the first message after a restart was taken after %v", time.Since(began))
}

// What a flag does not know is one line, without a password.
func TestURLs(t *testing.T) {
	binary := build(t)
	for _, tt := range []struct{ flag, url, want string }{
		{"-store", "mysql://ann:secret@db/chat", "does not know mysql://, but postgres://"},
		{"-store", "chat.db", "-store is no URL"},
		{"-store", "cassandra://db", "keyspace"},
		{"-store", "cassandra://db/chat?replicas=many", "replicas=many"},
		{"-store", "cassandra://db/chat?replica=3", "there is no setting replica"},
		{"-store", "postgres://ann:secret@127.0.0.1:1/chat", "-store: postgres: open"},
		{"-queue", "amqp://ann:secret@mq", "does not know amqp://, but redis://"},
		{"-queue", "redis://ann:secret@:x:y", "-queue: "},
		{"-queue", "redis://ann:secret@127.0.0.1:1", "-queue: redis: open"},
		{"-queue", "nats://ann:secret@127.0.0.1:1", "-queue: nats: no servers available"},
		{"-queue", "nats://ann:secret@127.0.0.1:x", "-queue: "},
		{"-queue", "kafka://,kafka2", "a host has no name"},
		{"-queue", "kafka://kafka1/chat?replication=0", "replication=0"},
	} {
		cmd := exec.Command(binary, "-addr", "127.0.0.1:0", "-data", t.TempDir()+"/chat.db", tt.flag, tt.url)
		out, err := cmd.CombinedOutput()
		line := strings.TrimSuffix(string(out), "\n")
		if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(line, tt.want) || strings.Contains(line, "secret") {
			t.Errorf("%s %s: %v, %q, want %q", tt.flag, tt.url, err, line, tt.want)
		}
		if strings.Contains(line, "\n") {
			t.Errorf("%s %s: more than one line: %q", tt.flag, tt.url, line)
		}
	}
}
