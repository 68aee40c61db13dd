package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// What people see is the same on other servers: the first of internal/e2e's tests says so.
func TestBrowser(t *testing.T) {
	db, queue := servers.Postgres(t), servers.Redis(t)
	e2e := filepath.Join("..", "..", "internal", "e2e")
	if _, err := os.Stat(filepath.Join(e2e, "node_modules")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no node_modules: run `make e2e` first")
		}
		t.Skip("no node_modules: run `make e2e` first")
	}
	cmd := exec.Command("node", "--test", "--test-timeout=120000", "talk.test.js")
	cmd.Dir = e2e
	cmd.Env = append(os.Environ(), "GATEHOUSE_CHAT="+strings.Join([]string{build(t), "-store", db.URL(), "-queue", "redis://" + queue.Addr()}, " "))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "# SKIP") || strings.Contains(string(out), "no Chromium") {
		t.Skip("no browser")
	}
	t.Log(string(out[max(0, len(out)-300):]))
}
