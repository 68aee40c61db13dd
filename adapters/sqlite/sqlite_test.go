package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
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
	for id, text := range []string{"Hello!", "Is anybody here?", "Hello, yes."} {
		store.Append(ctx, "7", []message.Message{{ID: message.ID(id + 1), Author: "42", Content: text}})
	}
	store.Delete(ctx, "7", 2)
	page, _ := store.Page(ctx, "7", message.Query{Limit: 50})
	for _, m := range page {
		fmt.Println(m.ID, m.Content)
	}
	hits, _ := store.Search(ctx, message.Search{Text: "hello", Limit: 25})
	fmt.Println(hits)
	// Output:
	// 1 Hello!
	// 3 Hello, yes.
	// [{7 3} {7 1}]
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

// one is a batch of one message.
func one(id message.ID, content string) []message.Message {
	return []message.Message{{ID: id, Content: content}}
}

// page is the newest messages of a channel.
func page(t testing.TB, s *sqlite.Store, channel string) []message.Message {
	t.Helper()
	page, err := s.Page(t.Context(), channel, message.Query{Limit: message.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// found is what a search for words finds.
func found(t testing.TB, s *sqlite.Store, words string) string {
	t.Helper()
	hits, err := s.Search(t.Context(), message.Search{Text: words, Limit: message.MaxHits})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(hits)
}

// Everything of a message is kept, whatever is in it, and found however the file is named.
func TestEverythingIsKept(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "a b?c#d%20.db"))
	batch := []message.Message{
		{ID: 1},
		{ID: 5, Author: "ann\x00", Content: "a 'quoted' \"text\" \xff\x00 zwölf 🦆", Data: []byte{0, 0xff}, Nonce: `"n"`, Edited: time.UnixMilli(1_700_000_000_123).UTC()},
		{ID: 1<<63 - 1, Content: strings.Repeat("long ", 100_000), Data: make([]byte, 1<<20)},
	}
	if err := s.Append(ctx, "a;DROP TABLE", batch); err != nil {
		t.Fatal(err)
	}
	for i := range batch {
		batch[i].Channel = "a;DROP TABLE"
	}
	if got := page(t, s, "a;DROP TABLE"); !reflect.DeepEqual(got, batch) {
		t.Errorf("got %.300v", got)
	}
	if got := found(t, s, `zwölf "quoted"`); got != "[{a;DROP TABLE 5}]" {
		t.Errorf("found %s", got)
	}
}

// An index may be asked for more words than anybody says, and an id be in several channels.
func TestSearch(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "chat.db"))
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprint("w", i))
	}
	long := strings.Join(many, " ")
	for _, channel := range []string{"a", "b", "c"} {
		if err := s.Append(ctx, channel, []message.Message{{ID: 10, Author: "ann", Content: "same " + channel}, {ID: 20, Author: "bob", Content: long}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		search message.Search
		want   string
	}{
		{message.Search{Text: long, Channels: []string{"b"}}, "[{b 20}]"},
		{message.Search{Text: "SAME b"}, "[{b 10}]"},
		{message.Search{Text: "same", Channels: []string{"c", "x"}}, "[{c 10}]"},
		{message.Search{Text: "same", Author: "bob"}, "[]"},
		{message.Search{Text: "same", Before: 10}, "[]"},
		{message.Search{Text: "same", After: 10}, "[]"},
		{message.Search{Text: "same OR w1"}, "[]"},
		{message.Search{Text: "sam"}, "[]"},
	} {
		tt.search.Limit = 100
		if got, err := s.Search(ctx, tt.search); err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%.60v: %v, %v, want %s", tt.search, got, err, tt.want)
		}
	}
	if hits, err := s.Search(ctx, message.Search{Text: "w7", Limit: 2}); err != nil || len(hits) != 2 {
		t.Errorf("of three: %v, %v", hits, err)
	}
	if _, err := s.Delete(ctx, "b", 10); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit(ctx, message.Message{Channel: "c", ID: 10, Content: "other"}); err != nil {
		t.Fatal(err)
	}
	if got := found(t, s, "same"); got != "[{a 10}]" {
		t.Errorf("found %s", got)
	}
	if got := found(t, s, "other"); got != "[{c 10}]" {
		t.Errorf("found %s", got)
	}
}

// What is kept here need not be added to the index, and is not spoilt by one who is late.
func TestAddWhatIsKept(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "chat.db"))
	if err := s.Append(ctx, "7", one(1, "first")); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit(ctx, message.Message{Channel: "7", ID: 1, Content: "second"}); err != nil {
		t.Fatal(err)
	}
	before := changes(t, s)
	if err := s.Add(ctx, []message.Message{{Channel: "7", ID: 1, Content: "first"}}); err != nil {
		t.Fatal(err)
	}
	if after := changes(t, s); after != before {
		t.Errorf("%d rows were written", after-before)
	}
	if found(t, s, "first") != "[]" || found(t, s, "second") != "[{7 1}]" {
		t.Error("the text before an edit is found")
	}
	if err := s.Remove(ctx, "7", 1); err != nil || found(t, s, "second") != "[]" {
		t.Errorf("what was removed is found, %v", err)
	}
	if err := s.Add(ctx, []message.Message{{Channel: "7", ID: 1, Content: "second"}}); err != nil || found(t, s, "second") != "[{7 1}]" {
		t.Errorf("what was added again is not found, %v", err)
	}
}

// changes is how many rows the connection that writes has written.
func changes(t *testing.T, s *sqlite.Store) (n int) {
	t.Helper()
	if err := s.DB().QueryRow(`SELECT total_changes()`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A message that the application's own rules refuse does not take others with it.
func TestOneOfABatchIsRefused(t *testing.T) {
	ctx := t.Context()
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "chat.db"), sqlite.Options{Schema: []string{
		`CREATE TRIGGER IF NOT EXISTS no_spam BEFORE INSERT ON gatehouse_messages WHEN NEW.content = 'spam' BEGIN SELECT RAISE(ABORT, 'no spam'); END`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Append(ctx, "7", []message.Message{{ID: 1, Content: "one"}, {ID: 2, Content: "spam"}, {ID: 3, Content: "three"}})
	var partly message.BatchError
	if !errors.As(err, &partly) || len(partly) != 1 || !strings.Contains(partly[1].Error(), "no spam") {
		t.Errorf("got %v", err)
	}
	if got := page(t, s, "7"); len(got) != 2 || found(t, s, "three") != "[{7 3}]" {
		t.Errorf("kept %v", got)
	}
}

// Those who wait to append share transactions; each of them is told of its own.
func TestAppendTogether(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "chat.db"))
	tx, err := s.DB().BeginTx(ctx, nil) // everybody waits for it
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	var writers sync.WaitGroup
	for i := range 100 {
		writers.Go(func() {
			if err := s.Append(ctx, fmt.Sprint(i), one(message.ID(i+1), "x")); err != nil {
				t.Error(err)
			}
		})
		writers.Go(func() {
			if err := s.Append(gone, "gone", one(message.ID(1000+i), "x")); !errors.Is(err, context.Canceled) {
				t.Errorf("who left is told %v", err)
			}
		})
	}
	cancel()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	writers.Wait()
	for i := range 100 {
		if got := page(t, s, fmt.Sprint(i)); len(got) != 1 {
			t.Fatalf("channel %d has %v", i, got)
		}
	}
}

// A store that is not closed, as after kill -9, is found again whole.
func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chat.db")
	first := open(t, path)
	for id := range message.ID(100) {
		if err := first.Append(t.Context(), "7", one(id+1, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if got := page(t, open(t, path), "7"); len(got) != 100 {
		t.Errorf("%d messages", len(got))
	}
}

func TestClosed(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "chat.db"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, pageErr := s.Page(ctx, "7", message.Query{Limit: 1})
	_, deleteErr := s.Delete(ctx, "7", 1)
	_, searchErr := s.Search(ctx, message.Search{Text: "x", Limit: 1})
	for name, err := range map[string]error{
		"Append": s.Append(ctx, "7", one(1, "x")), "Page": pageErr, "Edit": s.Edit(ctx, message.Message{Channel: "7", ID: 1}), "Delete": deleteErr,
		"Add": s.Add(ctx, []message.Message{{Channel: "7", ID: 1}}), "Remove": s.Remove(ctx, "7", 1), "Search": searchErr,
	} {
		if !errors.Is(err, message.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	ctx := t.Context()
	s := open(t, filepath.Join(t.TempDir(), "chat.db"))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				if err := s.Append(ctx, "7", one(message.ID(w*50+i+1), "x")); err != nil {
					t.Error(err)
				}
				if _, err := s.Page(ctx, "7", message.Query{Limit: 10}); err != nil {
					t.Error(err)
				}
				if _, err := s.Search(ctx, message.Search{Text: "x", Limit: 10}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := page(t, s, "7"); len(got) != 200 {
		t.Errorf("%d messages", len(got))
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
	if _, err := tx.ExecContext(ctx, `INSERT INTO gatehouse_messages (id, channel, author, content) VALUES (1, '7', '1', '')`); err != nil {
		t.Fatal(err)
	}
	if got := page(t, s, "7"); len(got) != 0 {
		t.Errorf("while somebody writes: %d messages", len(got))
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
