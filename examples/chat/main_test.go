package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The binary says in one line what is wrong.
func TestStartErrors(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "chat")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	text := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		args       []string
	}{
		{"inherited sockets", "one socket is expected", nil},
		{"port taken", "is taken", []string{"-addr", ln.Addr().String(), "-data", filepath.Join(t.TempDir(), "c.db")}},
		{"no address", "cannot listen", []string{"-addr", "nowhere", "-data", filepath.Join(t.TempDir(), "c.db")}},
		{"data is text", "not a SQLite database", []string{"-addr", "127.0.0.1:0", "-data", text}},
		{"data is a directory", "directory", []string{"-addr", "127.0.0.1:0", "-data", t.TempDir()}},
	} {
		cmd := exec.Command(binary, tt.args...)
		if tt.args == nil { // as a service manager starts it, with one too many
			cmd = exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=2 exec "$0"`, binary)
		}
		var stderr, stdout strings.Builder
		cmd.Stderr, cmd.Stdout = &stderr, &stdout
		err := cmd.Run()
		if code := cmd.ProcessState.ExitCode(); err == nil || code != 1 {
			t.Errorf("%s: exit code %d", tt.name, code)
		}
		if line := strings.TrimSuffix(stderr.String(), "\n"); strings.Contains(line, "\n") || !strings.Contains(line, tt.want) || stdout.Len() > 0 {
			t.Errorf("%s: %q %q, want one line with %q", tt.name, line, stdout.String(), tt.want)
		}
	}
}
