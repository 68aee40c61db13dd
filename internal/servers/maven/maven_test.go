package maven_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/servers/maven"
)

// fakeMaven puts a program in the place of Maven that makes two jars and then ends as it is told, and gives the test a cache
// of its own.
func fakeMaven(t *testing.T, code string) (cache string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a script in PATH and XDG_CACHE_HOME are Linux's")
	}
	bin, cache := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\n[ -f pom.xml ] || exit 9\nfor last; do :; done\nout=${last#-DoutputDirectory=}\nmkdir \"$out\" && touch \"$out/a.jar\" \"$out/b.jar\"\nexit " + code + "\n"
	if err := os.WriteFile(filepath.Join(bin, "mvn"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("XDG_CACHE_HOME", cache)
	return cache
}

func TestFetch(t *testing.T) {
	for _, name := range maven.Names {
		t.Run(name, func(t *testing.T) {
			cache := fakeMaven(t, "0")
			if _, err := maven.Jars(name); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("before Fetch: %v, want ErrNotExist", err)
			}
			if err := maven.Fetch(context.Background(), name); err != nil {
				t.Fatal(err)
			}
			dir, err := maven.Jars(name)
			if err != nil {
				t.Fatal(err)
			}
			expectFiles(t, dir, 2)
			expectFiles(t, filepath.Join(cache, "gatehouse"), 1) // nothing partial is left

			t.Setenv("PATH", "")
			if err := maven.Fetch(context.Background(), name); err != nil {
				t.Errorf("again, with the jars there: %v", err)
			}
		})
	}
}

func TestFetchThatFails(t *testing.T) {
	cache := fakeMaven(t, "1")
	if err := maven.Fetch(context.Background(), "kafka"); err == nil {
		t.Error("Fetch succeeded")
	}
	if _, err := maven.Jars("kafka"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after half a fetch: %v, want ErrNotExist", err)
	}
	expectFiles(t, filepath.Join(cache, "gatehouse"), 0)
}

func TestUnknownName(t *testing.T) {
	if _, err := maven.Jars("no-such-server"); err == nil {
		t.Error("Jars knows it")
	}
	if err := maven.Fetch(context.Background(), "no-such-server"); err == nil {
		t.Error("Fetch knows it")
	}
}

func expectFiles(t *testing.T, dir string, want int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != want {
		t.Errorf("%d files in %s, want %d", len(entries), filepath.Base(dir), want)
	}
}
