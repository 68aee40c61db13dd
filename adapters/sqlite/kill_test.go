package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// victim names the file that a second process of this test writes until it is killed.
const victim = "SQLITE_TEST_VICTIM"

// Everything that Append acknowledged before its process was killed is there, and is found.
func TestKilled(t *testing.T) {
	if path := os.Getenv(victim); path != "" {
		write(path)
	}
	path := filepath.Join(t.TempDir(), "chat.db")
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), victim+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if acknowledged, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatalf("the other process: %s", lines.Text())
		}
		if acknowledged == 200 {
			cmd.Process.Kill() // what it wrote meanwhile is still read
		}
	}
	cmd.Wait()
	s := open(t, path)
	kept := page(t, s, "7")
	if len(kept) < acknowledged || acknowledged < 200 {
		t.Errorf("%d acknowledged, %d found", acknowledged, len(kept))
	}
	for i, m := range kept {
		if m.ID != message.ID(i+1) || m.Content != fmt.Sprint("message ", i+1) {
			t.Fatalf("message %d is %+v", i+1, m)
		}
		if got := found(t, s, m.Content); got != fmt.Sprintf("[{7 %d}]", i+1) {
			t.Fatalf("searched for message %d, found %s", i+1, got)
		}
	}
}

// write appends messages and says so, for ever.
func write(path string) {
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	for id := message.ID(1); err == nil; id++ {
		if err = s.Append(context.Background(), "7", one(id, fmt.Sprint("message ", uint64(id)))); err == nil {
			fmt.Println(uint64(id))
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// Two stores of one file wait for each other instead of failing.
func TestTwoStores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chat.db")
	stores := []*sqlite.Store{open(t, path), open(t, path)}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 50 {
				if err := stores[w%2].Append(t.Context(), "7", one(message.ID(w*50+i+1), "x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if got := page(t, stores[0], "7"); len(got) != 200 {
		t.Errorf("%d messages", len(got))
	}
}
