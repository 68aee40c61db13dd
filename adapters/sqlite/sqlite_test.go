package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
)

func Example() {
	ctx := context.Background()
	dir, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(ctx, filepath.Join(dir, "chat.db"), sqlite.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	for id, text := range []string{"hello", "is anybody here?", "yes"} {
		store.Append(ctx, sqlite.Message{ID: uint64(id + 1), Channel: 7, Author: 42, Content: text})
	}
	store.Delete(ctx, 7, 2)
	page, _ := store.History(ctx, 7, 0, 50)
	for _, m := range page {
		fmt.Println(m.ID, m.Content)
	}
	// Output:
	// 1 hello
	// 3 yes
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ids(page []sqlite.Message) (text string) {
	for _, m := range page {
		text += fmt.Sprint(m.ID, " ")
	}
	return text
}

func TestMessages(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "a b?c#d%20.db"))
	for id := range uint64(10) {
		if err := s.Append(ctx, sqlite.Message{ID: id + 1, Channel: id % 2, Author: 1<<63 - 1, Content: fmt.Sprint("ü", id)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Append(ctx, sqlite.Message{ID: 50, Channel: 1}, sqlite.Message{ID: 3}); !errors.Is(err, sqlite.ErrExists) {
		t.Errorf("an id twice: %v", err)
	}
	if _, err := s.Get(ctx, 1, 50); !errors.Is(err, sqlite.ErrNotFound) {
		t.Errorf("half of an Append stayed: %v", err)
	}
	for _, tt := range []struct {
		before uint64
		limit  int
		want   string
	}{{0, 3, "6 8 10 "}, {6, 50, "2 4 "}, {2, 50, ""}, {0, 0, ""}, {0, -1, ""}, {7, 1, "6 "}} {
		page, err := s.History(ctx, 1, tt.before, tt.limit)
		if err != nil || ids(page) != tt.want {
			t.Errorf("History(before %d, limit %d): %v, %v, want %s", tt.before, tt.limit, ids(page), err, tt.want)
		}
	}
	for _, tt := range []struct {
		after uint64
		limit int
		want  string
	}{{0, 3, "2 4 6 "}, {6, 50, "8 10 "}, {10, 50, ""}, {0, 0, ""}, {0, -1, ""}, {5, 1, "6 "}} {
		page, err := s.After(ctx, 1, tt.after, tt.limit)
		if err != nil || ids(page) != tt.want {
			t.Errorf("After(%d, limit %d): %v, %v, want %s", tt.after, tt.limit, ids(page), err, tt.want)
		}
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)
	if err := s.Edit(ctx, 1, 4, "changed", at); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Get(ctx, 1, 4); err != nil || m.Content != "changed" || !m.Edited.Equal(at) || m.Author != 1<<63-1 {
		t.Errorf("Get: %+v, %v", m, err)
	}
	for name, err := range map[string]error{
		"Edit":                    s.Edit(ctx, 1, 99, "x", at),
		"Edit in another channel": s.Edit(ctx, 0, 4, "x", at),
		"Delete":                  s.Delete(ctx, 0, 4),
	} {
		if !errors.Is(err, sqlite.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Get(ctx, 0, 4); !errors.Is(err, sqlite.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if err := s.Delete(ctx, 1, 10); err != nil {
		t.Error(err)
	}
	if id, err := s.LastID(ctx); err != nil || id != 9 {
		t.Errorf("LastID: %d, %v", id, err)
	}
}

// A store that is not closed, as after kill -9, is found again whole.
func TestReopen(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "chat.db")
	first := open(t, path)
	for id := range uint64(100) {
		if err := first.Append(ctx, sqlite.Message{ID: id + 1, Channel: 7}); err != nil {
			t.Fatal(err)
		}
	}
	second := open(t, path)
	if page, err := second.History(ctx, 7, 0, 1000); err != nil || len(page) != 100 {
		t.Errorf("%d messages, %v", len(page), err)
	}
}

func TestConcurrentUse(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "chat.db"))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				if err := s.Append(ctx, sqlite.Message{ID: uint64(w*50 + i + 1), Channel: 7}); err != nil {
					t.Error(err)
				}
				if _, err := s.History(ctx, 7, 0, 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if page, _ := s.History(ctx, 7, 0, 1000); len(page) != 200 {
		t.Errorf("%d messages", len(page))
	}
}

// One connection writes, and the file is in WAL mode, so that readers do not
// wait for it.
func TestReadersDoNotWait(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "chat.db"))
	if n := s.DB().Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d connections write", n)
	}
	tx, err := s.DB().BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `INSERT INTO gatehouse_messages (id, channel, author, content) VALUES (1, 7, 1, '')`); err != nil {
		t.Fatal(err)
	}
	if page, err := s.History(ctx, 7, 0, 10); err != nil || len(page) != 0 {
		t.Errorf("while somebody writes: %d messages, %v", len(page), err)
	}
	var mode string
	if err := tx.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal mode %s, %v", mode, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	foreign := filepath.Join(dir, "foreign.db")
	raw(t, foreign, `CREATE TABLE theirs (x)`)
	newer := filepath.Join(dir, "newer.db")
	open(t, newer).Close()
	raw(t, newer, `PRAGMA user_version=99`)
	tests := []struct{ name, path, want string }{
		{"a directory", dir, "it is a directory"},
		{"no name", "", "no file is named"},
		{"in no directory", filepath.Join(dir, "no", "chat.db"), "no such file or directory"},
		{"text", file("text.db", strings.Repeat("this is not a database\n", 100), 0o600), "it is not a SQLite database"},
		{"another application's", foreign, "another application's"},
		{"of a newer version", newer, "newer version: 99"},
	}
	if os.Getuid() != 0 && runtime.GOOS != "windows" {
		tests = append(tests, struct{ name, path, want string }{"unreadable", file("secret.db", "", 0), "permission denied"})
	}
	for _, tt := range tests {
		_, err := sqlite.Open(t.Context(), tt.path, sqlite.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", tt.name, err, tt.want)
		}
	}
}

// raw runs a statement past the store.
func raw(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestSchemaOfTheApplication(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chat.db")
	o := sqlite.Options{Schema: []string{`CREATE TABLE IF NOT EXISTS mine (x INTEGER)`}}
	for range 2 {
		s, err := sqlite.Open(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB().Exec(`INSERT INTO mine VALUES (1)`); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	o.Schema = []string{`CREATE NONSENSE`}
	if _, err := sqlite.Open(t.Context(), path, o); err == nil {
		t.Error("nonsense is accepted")
	}
}
