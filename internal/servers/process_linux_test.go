package servers

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// worker is a server of a process that has another, as a shell and its job are; both ignore what asks them to end.
func worker(t *testing.T) (s *Server, pids func() [2]int) {
	s = newServer(t, "worker", "nowhere")
	file := filepath.Join(s.dir, "pids")
	s.command = func() *exec.Cmd {
		return exec.Command("sh", "-c", `trap "" TERM; sleep 600 & echo $$ $! > pids.new; mv pids.new pids; wait`)
	}
	s.ready = func(context.Context) error { _, err := os.Stat(file); return err }
	return s, func() (pids [2]int) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, field := range strings.Fields(string(text)) {
			if pids[i], err = strconv.Atoi(field); err != nil {
				t.Fatal(err)
			}
		}
		os.Remove(file)
		return pids
	}
}

// alive reports whether a process runs. One that ended and that nobody asked about yet (Z) does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// dies reports whether a process has ended, or does at once: the kernel closes its files, which is what Kill waits for, a moment
// before it counts as ended.
func dies(pid int) bool {
	for enough := time.Now().Add(5 * time.Second); alive(pid); runtime.Gosched() {
		if time.Now().After(enough) {
			return false
		}
	}
	return true
}

func TestKillEndsAllOfIt(t *testing.T) {
	s, pids := worker(t)
	var first [2]int
	for range 2 {
		s.Start()
		now := pids()
		if now == first || !alive(now[0]) || !alive(now[1]) {
			t.Fatalf("after Start there are %v, before %v", now, first)
		}
		s.Kill()
		if !dies(now[0]) || !dies(now[1]) {
			t.Errorf("after Kill one of %v is alive", now)
		}
		first = now
	}
	s.Kill() // once more is nothing
}

func TestCleanupEndsAllOfIt(t *testing.T) {
	var now [2]int
	var dir string
	t.Run("owner", func(t *testing.T) {
		s, pids := worker(t)
		s.Start()
		now, dir = pids(), s.dir
	})
	if !dies(now[0]) || !dies(now[1]) {
		t.Errorf("after the test one of %v is alive", now)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
}

// TestAbandon is one half of TestServersDieWithTheTest: it is killed while its server runs.
func TestAbandon(t *testing.T) {
	if os.Getenv("SERVERS_ABANDON") == "" {
		t.Skip("part of TestServersDieWithTheTest")
	}
	s := newServer(t, "abandoned", "nowhere")
	s.command = func() *exec.Cmd { return exec.Command("sleep", "600") }
	s.ready = func(context.Context) error { return nil }
	s.Start()
	os.Stdout.WriteString("abandoned " + strconv.Itoa(s.process.pid) + " " + s.dir + "\n")
	select {}
}

func TestServersDieWithTheTest(t *testing.T) {
	test := exec.Command(os.Args[0], "-test.run=^TestAbandon$")
	test.Env = append(os.Environ(), "SERVERS_ABANDON=1")
	out, err := test.StdoutPipe()
	if err == nil {
		err = test.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for lines := bufio.NewScanner(out); len(fields) != 3 && lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "abandoned ") {
			fields = strings.Fields(line)
		}
	}
	if len(fields) != 3 {
		t.Fatal("the test that is to be killed started nothing")
	}
	defer os.RemoveAll(fields[2])
	pid, err := strconv.Atoi(fields[1])
	if err != nil || !alive(pid) {
		t.Fatalf("process %s: %v", fields[1], err)
	}
	test.Process.Kill()
	test.Wait()
	eventually(t, "end of the server", func() bool { return !alive(pid) })
}

func TestConnectionsStartElsewhere(t *testing.T) {
	listener, err := net.Listen("tcp", address(0, freePort(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if from := conn.LocalAddr().(*net.TCPAddr).IP.String(); from != "127.0.0.1" || from == host(0) {
		t.Errorf("a connection to %s starts at %s: its port may be a server's", host(0), from)
	}
}
