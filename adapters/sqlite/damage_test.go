package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

const pageSize = 4096

// Whatever is wrong with the bytes of a file, Open or the first method to meet
// it says so in one line.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "whole.db")
	s := open(t, path)
	messages := make([]message.Message, 3000)
	for i := range messages {
		messages[i] = message.Message{ID: message.ID(i + 1), Content: strings.Repeat("text ", 20)}
	}
	if err := s.Append(t.Context(), "7", messages); err != nil {
		t.Fatal(err)
	}
	s.Close() // moves everything from the log into the file
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	scribble := func(from, to int) []byte {
		data := append([]byte(nil), whole...)
		for i := from; i < to; i++ {
			data[i] = 0xaa
		}
		return data
	}
	middle := len(whole) / pageSize / 2 * pageSize
	for name, data := range map[string][]byte{
		"cut in half":           whole[:len(whole)/2],
		"cut in the header":     whole[:50],
		"schema overwritten":    scribble(100, pageSize),
		"all but the schema":    scribble(pageSize, len(whole)),
		"some pages in between": scribble(middle, middle+20*pageSize),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err == nil {
			if name != "some pages in between" {
				t.Errorf("%s: Open did not notice", name)
			}
			err = readAll(t, s)
			s.Close()
		}
		if !errors.Is(err, sqlite.ErrDamaged) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// readAll pages through everything.
func readAll(t *testing.T, s *sqlite.Store) error {
	for q := (message.Query{Limit: 500}); ; {
		page, err := s.Page(t.Context(), "7", q)
		if err != nil || len(page) == 0 {
			return err
		}
		q.Before = page[0].ID
	}
}
