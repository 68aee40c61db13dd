package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
)

// nobody has no rights of their own.
const nobody = 65534

// What may not be read or written is said in one line. Root may do everything,
// so the files are opened by a thread that is somebody else.
func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.db")
	open(t, whole).Close()
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	place := func(folder string, folderMode os.FileMode, name string, mode os.FileMode) string {
		folder = filepath.Join(dir, folder)
		path := filepath.Join(folder, name)
		err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(path, data, mode), os.Chmod(path, mode), os.Chmod(folder, folderMode))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(folder, 0o755) })
		return path
	}
	tests := []struct{ name, path, want string }{
		{"file that may not be read", place("a", 0o755, "x.db", 0), "permission denied"},
		{"file that may not be written", place("b", 0o755, "x.db", 0o444), "permission denied"},
		{"folder that may not be entered", place("c", 0, "x.db", 0o666), "permission denied"},
		{"folder that may not be written", place("d", 0o555, "x.db", 0o666), "cannot be written"},
		{"new file in such a folder", filepath.Join(filepath.Dir(place("e", 0o555, "x.db", 0o666)), "new.db"), "cannot be written"},
	}
	for up := dir; strings.HasPrefix(up, os.TempDir()) && up != os.TempDir(); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	results := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer close(results)
		if os.Getuid() == 0 {
			syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		}
		for _, tt := range tests {
			s, err := sqlite.Open(t.Context(), tt.path, sqlite.Options{})
			if err == nil {
				s.Close()
			}
			results <- err
		}
	}()
	for _, tt := range tests {
		err := <-results
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", tt.name, err, tt.want)
		}
	}
}
