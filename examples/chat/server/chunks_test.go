package server

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// chunk is what tests look at in a GUILD_MEMBERS_CHUNK.
type chunk struct {
	GuildID string `json:"guild_id"`
	Members []struct {
		User struct{ ID, Username string }
	}
	Index     int `json:"chunk_index"`
	Count     int `json:"chunk_count"`
	Presences *[]struct {
		User   struct{ ID string }
		Status string
	}
	NotFound []string `json:"not_found"`
	Nonce    *string
}

func (c chunk) String() string {
	var names []string
	for _, m := range c.Members {
		names = append(names, m.User.Username)
	}
	text := fmt.Sprintf("%d/%d %s", c.Index+1, c.Count, strings.Join(names, " "))
	if c.Presences != nil {
		text += fmt.Sprintf(", %d online", len(*c.Presences))
	}
	if c.NotFound != nil {
		text += fmt.Sprint(", without ", c.NotFound)
	}
	if c.Nonce != nil {
		text += ", nonce " + *c.Nonce
	}
	return text
}

// Bots ask for members in as many ways as libraries do, and are answered in
// chunks; who asks nothing is not answered.
func TestMembersAreAskedFor(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	for _, name := range []string{"anna", "ben"} {
		bot{t, url, name}.must("GET", "/users/@me", "", nil)
	}
	ann := join(t, url, "ann")
	annID, _, _ := userOf("ann")
	benID, _, _ := userOf("ben")
	for _, tt := range []struct{ name, in, want string }{
		{"all", `{"guild_id":"1","query":"","limit":0,"nonce":"n"}`, "1/1 ann anna ben, nonce n"},
		{"all, as some libraries say it", `{"guild_id":["1"],"query":"","limit":0.0,"presences":false,"user_ids":null}`, "1/1 ann anna ben"},
		{"some of all", `{"guild_id":"1","query":"","limit":2}`, "1/1 ann anna"},
		{"by name", `{"guild_id":1,"query":"AN","limit":5}`, "1/1 ann anna"},
		{"by name, no more than", `{"guild_id":"1","query":"an","limit":1}`, "1/1 ann"},
		{"by name, without a limit", `{"guild_id":"1","query":"an"}`, "1/1 ann anna"},
		{"nobody", `{"guild_id":"1","query":"zoe","limit":5,"nonce":"n"}`, "1/1 , nonce n"},
		{"by id", fmt.Sprintf(`{"guild_id":"1","user_ids":["%s","77","77"],"limit":0,"query":""}`, benID), "1/1 ben, without [77]"},
		{"one by id", fmt.Sprintf(`{"guild_id":"1","user_ids":"%s"}`, benID), "1/1 ben"},
		{"none by id", `{"guild_id":"1","user_ids":[]}`, "1/1 "},
		{"with who is here", fmt.Sprintf(`{"guild_id":"1","user_ids":["%s","%s"],"presences":true}`, annID, benID), "1/1 ann ben, 1 online"},
		{"a long nonce", `{"guild_id":"1","query":"ben","nonce":"` + strings.Repeat("n", 33) + `"}`, "1/1 ben"},
	} {
		for _, none := range []string{`null`, `{}`, `{"guild_id":"2","query":""}`, `{"guild_id":["1","2"]}`, `{"guild_id":"x"}`, `{"guild_id":"1","user_ids":{}}`} {
			ann.send(8, json.RawMessage(none)) // an answer to one would be taken for the next
		}
		ann.send(8, json.RawMessage(tt.in))
		var got chunk
		if err := json.Unmarshal(ann.until(0, "GUILD_MEMBERS_CHUNK"), &got); err != nil {
			t.Fatal(err)
		}
		if got.String() != tt.want || got.GuildID != "1" {
			t.Errorf("%s: %s of guild %s, want %s", tt.name, got, got.GuildID, tt.want)
		}
	}
}

// Presences are for who asked for them in Identify, too.
func TestMembersWithoutPresences(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := connect(t, url)
	ann.send(2, map[string]any{"token": "ann", "intents": 1})
	ann.until(0, "GUILD_CREATE")
	ann.send(8, json.RawMessage(`{"guild_id":"1","query":"","limit":0,"presences":true}`))
	var got chunk
	if err := json.Unmarshal(ann.until(0, "GUILD_MEMBERS_CHUNK"), &got); err != nil || got.String() != "1/1 ann, 0 online" {
		t.Errorf("%s, %v", got, err)
	}
}

// A thousand members are one chunk, and one more are two.
func TestManyMembers(t *testing.T) {
	data := filepath.Join(t.TempDir(), "chat.db")
	url, stop := start(t, data)
	join(t, url, "ann")
	stop()
	s, err := New(t.Context(), Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if _, err := s.guild.db.Exec(`INSERT INTO chat_users (id, name, joined) VALUES (?, ?, 0)`, i+1, fmt.Sprint("b", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	url, _ = start(t, data)
	ann := join(t, url, "ann")
	ann.send(8, json.RawMessage(`{"guild_id":"1","query":"","limit":0,"nonce":"n"}`))
	for i, want := range []int{1000, 1} {
		var got chunk
		if err := json.Unmarshal(ann.until(0, "GUILD_MEMBERS_CHUNK"), &got); err != nil {
			t.Fatal(err)
		}
		if got.Index != i || got.Count != 2 || len(got.Members) != want || got.Nonce == nil {
			t.Errorf("chunk %d of %d has %d members, want %d of %d", got.Index, got.Count, len(got.Members), i, want)
		}
	}
}
