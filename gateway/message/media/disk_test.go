package media

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func newDisk(t testing.TB, o DiskOptions) *Disk {
	t.Helper()
	d, err := NewDisk(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// files are the names of all files below the folder, in order.
func files(t testing.TB, d *Disk) (names []string) {
	t.Helper()
	err := filepath.WalkDir(d.dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(d.dir, name)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func temps(t testing.TB, d *Disk) int {
	t.Helper()
	entries, err := os.ReadDir(d.temp())
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestDiskLayout(t *testing.T) {
	d := newDisk(t, DiskOptions{})
	for range 2 {
		if _, err := d.Put(t.Context(), strings.NewReader("hello"), "text/plain; charset=utf-8"); err != nil {
			t.Fatal(err)
		}
	}
	const hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	want := []string{"2c/f2/" + hello + "/text%2Fplain%3B%20charset=utf-8"}
	if got := files(t, d); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	data, err := os.ReadFile(filepath.Join(d.dir, filepath.FromSlash(want[0])))
	if string(data) != "hello" || err != nil {
		t.Errorf("the file holds %q, %v", data, err)
	}
	if n := temps(t, d); n != 0 {
		t.Errorf("%d temporary folders are left", n)
	}
	if info, err := os.Stat(filepath.Join(d.dir, filepath.FromSlash(want[0]))); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("%v, %v: others can read it", info.Mode(), err)
	}
}

// What can be a type but not a folder's name stays where it belongs.
func TestDiskStrangeTypes(t *testing.T) {
	d := newDisk(t, DiskOptions{})
	for _, typ := range []string{"../..", "./.", `a/b; x="../../../y"`, `a/b; x="\\"`} {
		if CheckType(typ) != nil {
			t.Errorf("%q is no type", typ)
		}
		data := "data of " + typ
		if _, err := d.Put(t.Context(), strings.NewReader(data), typ); err != nil {
			t.Errorf("%q: %v", typ, err)
			continue
		}
		r, o, err := d.Open(t.Context(), sha256.Sum256([]byte(data)))
		if err != nil || o.Type != typ {
			t.Errorf("%q: %v, %v", typ, o, err)
			continue
		}
		r.Close()
	}
	for _, name := range files(t, d) {
		if strings.Count(name, "/") != 3 {
			t.Errorf("%s is not where it belongs", name)
		}
	}
}

// A folder that somebody has tampered with is an error or nothing, and a Put mends an empty one.
func TestDiskTampered(t *testing.T) {
	hash := Hash(sha256.Sum256([]byte("hello")))
	tests := []struct {
		name   string
		tamper func(home string) error
		mended bool
	}{
		{"empty", func(home string) error { return os.Remove(filepath.Join(home, "text%2Fplain")) }, true},
		{"a second file", func(home string) error { return os.WriteFile(filepath.Join(home, "image%2Fpng"), nil, 0o600) }, false},
		{"no type", func(home string) error {
			return os.Rename(filepath.Join(home, "text%2Fplain"), filepath.Join(home, "readme"))
		}, false},
		{"a folder", func(home string) error {
			return errors.Join(os.Remove(filepath.Join(home, "text%2Fplain")), os.Mkdir(filepath.Join(home, "text%2Fplain"), 0o700))
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDisk(t, DiskOptions{})
			put := func() error {
				_, err := d.Put(t.Context(), strings.NewReader("hello"), "text/plain")
				return err
			}
			if err := errors.Join(put(), tt.tamper(d.home(hash))); err != nil {
				t.Fatal(err)
			}
			if f, o, err := d.Open(t.Context(), hash); err == nil {
				f.Close()
				t.Errorf("%v is there", o)
			} else if errors.Is(err, ErrNotFound) != tt.mended {
				t.Error(err)
			}
			if err := put(); (err == nil) != tt.mended {
				t.Errorf("put again: %v", err)
			}
			if n := temps(t, d); n != 0 {
				t.Errorf("%d temporary folders are left", n)
			}
		})
	}
}

// Whoever gives up leaves nothing, on the disk either.
func TestDiskLeavesNothing(t *testing.T) {
	d := newDisk(t, DiskOptions{MaxSize: 1000})
	ctx, cancel := context.WithCancel(t.Context())
	for name, r := range map[string]io.Reader{
		"too large": bytes.NewReader(make([]byte, 1001)),
		"cut off":   io.MultiReader(strings.NewReader("half"), errReader{io.ErrUnexpectedEOF}),
		"cancelled": io.MultiReader(strings.NewReader("half"), cancelReader{cancel}),
	} {
		use := t.Context()
		if name == "cancelled" {
			use = ctx
		}
		if o, err := d.Put(use, r, "text/plain"); err == nil {
			t.Errorf("%s: %v", name, o)
		}
	}
	func() {
		defer func() { recover() }()
		d.Put(t.Context(), nil, "text/plain") // panics
	}()
	if left, n := files(t, d), temps(t, d); len(left) != 0 || n != 0 {
		t.Errorf("left: %q and %d temporary folders", left, n)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

type cancelReader struct{ cancel func() }

func (r cancelReader) Read(p []byte) (int, error) {
	r.cancel()
	return copy(p, "more"), nil
}

func TestSweep(t *testing.T) {
	d := newDisk(t, DiskOptions{})
	now := time.Now()
	old := now.Add(-time.Hour)
	leave := func(name string, folder, file time.Time) {
		dir := filepath.Join(d.temp(), name)
		err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "image%2Fpng"), []byte("half"), 0o600))
		err = errors.Join(err, os.Chtimes(filepath.Join(dir, "image%2Fpng"), file, file), os.Chtimes(dir, folder, folder))
		if err != nil {
			t.Fatal(err)
		}
	}
	left := func() (names []string) {
		entries, err := os.ReadDir(d.temp())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	leave("dead", old, old)
	leave("slow", old, now.Add(-59*time.Minute))
	leave("young", now, now)
	if _, err := d.Put(t.Context(), strings.NewReader("x"), "text/plain"); err != nil || len(left()) != 3 {
		t.Errorf("%v: swept at each Put: %q", err, left())
	}
	if _, err := NewDisk(d.dir, DiskOptions{}); err != nil || !slices.Equal(left(), []string{"slow", "young"}) {
		t.Errorf("after NewDisk: %q, %v", left(), err)
	}
	leave("dead", old, old)
	d.swept.Store(old.Unix())
	if _, err := d.Put(t.Context(), strings.NewReader("x"), "text/plain"); err != nil || !slices.Equal(left(), []string{"slow", "young"}) {
		t.Errorf("after Put: %q, %v", left(), err)
	}
	// An upload that lost its folder is told, and nothing is kept.
	o, err := d.Put(t.Context(), io.MultiReader(strings.NewReader("swept"), callReader(func() { d.sweep(time.Now().Add(2 * time.Hour)) })), "text/plain")
	if runtime.GOOS != "windows" && err == nil {
		t.Errorf("%v was kept", o)
	}
}

// callReader calls, and then is at its end.
type callReader func()

func (r callReader) Read([]byte) (int, error) {
	r()
	return 0, io.EOF
}

func TestNewDiskFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewDisk(name, DiskOptions{}); err == nil {
		t.Error("a file was taken for a folder")
	}
}

// Put holds a piece of an object in memory, not the object.
func TestPutStreams(t *testing.T) {
	d := newDisk(t, DiskOptions{})
	const size = 10 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o, err := d.Put(t.Context(), io.LimitReader(rand.Reader, size), "image/png")
	runtime.ReadMemStats(&after)
	if err != nil || o.Size != size {
		t.Fatal(o, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated for %d", n, size)
	} else {
		t.Logf("%d bytes were allocated for %d", n, size)
	}
}
