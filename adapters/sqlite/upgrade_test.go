package sqlite_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// version1 is a copy of a file that examples/chat has made when channels and authors were numbers.
func version1(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("testdata/version1.sqlite")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "chat.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file of the first version is brought up to date, and stays so.
func TestUpgrade(t *testing.T) {
	const ann, bob = "8321472938889969244", "10875323359233322"
	want := map[string][]message.Message{
		"2": {
			{ID: 1576364570967015424, Channel: "2", Author: ann, Content: "hello, is anybody here?"},
			{ID: 1576364571038318592, Channel: "2", Author: bob, Content: "Yes: zwölf Enten 🦆"},
			{ID: 1576364571105427456, Channel: "2", Author: ann, Content: "good"},
		},
		"3": {
			{ID: 1576364571164147712, Channel: "3", Author: ann, Content: "in random"},
			{ID: 1576364571227062272, Channel: "3", Author: ann, Content: "without a typo", Edited: time.UnixMilli(1795905001234).UTC()},
		},
	}
	path := version1(t)
	for range 2 {
		s := open(t, path)
		for channel, messages := range want {
			if got := page(t, s, channel); !reflect.DeepEqual(got, messages) {
				t.Errorf("channel %s has %+v", channel, got)
			}
			for _, m := range messages {
				if got := found(t, s, m.Content); got != fmt.Sprintf("[{%s %d}]", channel, m.ID) {
					t.Errorf("%s: found %s", m.Content, got)
				}
			}
		}
		s.Close()
	}
}

// An upgrade that fails leaves the file as it was, for the version that wrote it.
func TestUpgradeIsAllOrNothing(t *testing.T) {
	path := version1(t)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{Schema: []string{`CREATE NONSENSE`}})
	if err == nil {
		t.Fatal("nonsense is accepted")
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var version, messages int
	var made string
	err = db.QueryRow(`SELECT user_version, (SELECT count(*) FROM gatehouse_messages), (SELECT group_concat(sql) FROM sqlite_master) FROM pragma_user_version`).
		Scan(&version, &messages, &made)
	if err != nil || version != 1 || messages != 5 || strings.Contains(made, "gatehouse_words") || !strings.Contains(made, "TRIGGER chat_deleted ") {
		t.Errorf("version %d, %d messages, %v, %s", version, messages, err, made)
	}
}
