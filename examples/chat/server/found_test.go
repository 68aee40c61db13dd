package server

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is said is found at once, by its words; what is edited, by its new ones; what is deleted, no more.
func TestSearch(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann, robot := join(t, url, "ann"), bot{t, url, "Bot " + unixBot}
	var ids []string
	for i, content := range []string{"Where is the harbour?", "Down by the SEA.", "The sea is rough", "which one?"} {
		m, code := ann.call("SEND_MESSAGE", map[string]any{"channel_id": fmt.Sprint(2 + i%2), "content": content})
		if code != "" {
			t.Fatal(code)
		}
		ids = append(ids, m["id"].(string))
	}
	robot.send("sea, said a bot")
	find := func(in map[string]any) (found string) {
		t.Helper()
		d, code := ann.call("SEARCH", in)
		if code != "" {
			return code
		}
		for _, m := range d["messages"].([]any) {
			found += m.(map[string]any)["content"].(string) + "|"
		}
		return fmt.Sprint(found, d["more"])
	}
	check := func(in map[string]any, want string) {
		t.Helper()
		if got := find(in); got != want {
			t.Errorf("%v: found %s, want %s", in, got, want)
		}
	}
	check(map[string]any{"text": "sea"}, "sea, said a bot|The sea is rough|Down by the SEA.|false")
	check(map[string]any{"text": "sea", "limit": 1}, "sea, said a bot|true")
	check(map[string]any{"text": "the SEA", "before": ids[2]}, "Down by the SEA.|false")
	check(map[string]any{"text": "sea", "channel_id": "3"}, "Down by the SEA.|false")
	check(map[string]any{"text": " ?! "}, "EMPTY")
	check(map[string]any{"text": strings.Repeat("ü", 201)}, "TOO_LONG")
	check(map[string]any{"text": "sea", "channel_id": "99"}, "NOT_FOUND")
	ann.call("EDIT_MESSAGE", map[string]any{"channel_id": "3", "message_id": ids[1], "content": "Down by the river"})
	ann.call("DELETE_MESSAGE", map[string]any{"channel_id": "2", "message_id": ids[2]})
	check(map[string]any{"text": "sea"}, "sea, said a bot|false")
	check(map[string]any{"text": "river"}, "Down by the river|false")

	me, _, _ := userOf("ann")
	for query, want := range map[string]string{
		"content=sea":                   `"total_results":1`,
		"content=the&author_id=" + unix: `"total_results":0`,
		"content=the&author_id=" + me.String() + "&limit=1&offset=1": `"content":"Where is the harbour?"`,
		"content=the&min_id=" + ids[0]:                               `"total_results":1`,
		"content=the&max_id=" + ids[0]:                               `"total_results":0`,
		"content=the&channel_id=2&channel_id=3":                      `"hit":true`,
		"content=":                                                   "BASE_TYPE_REQUIRED",
		"content=sea&limit=26":                                       "NUMBER_TYPE_RANGE",
		"content=sea&offset=-1":                                      "NUMBER_TYPE_RANGE",
		"content=sea&max_id=x":                                       "NUMBER_TYPE_COERCE",
	} {
		if r := robot.do("GET", "/guilds/1/messages/search?"+query, "", ""); !strings.Contains(r.text, want) {
			t.Errorf("%s: %s, want %s", query, r.text, want)
		}
	}
}

// A page of history lies anywhere, and says what is around it.
func TestHistoryAround(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := join(t, url, "ann")
	var ids []string
	for i := range 9 {
		m, _ := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": fmt.Sprint(i)})
		ids = append(ids, m["id"].(string))
	}
	for _, tt := range []struct {
		in   map[string]any
		want string
	}{
		{map[string]any{"limit": 3, "around": ids[4]}, "345 true true"},
		{map[string]any{"limit": 3, "after": ids[5]}, "678 true false"},
		{map[string]any{"limit": 3, "before": ids[3]}, "012 false true"},
		{map[string]any{}, "012345678 false false"},
		{map[string]any{"after": ids[8]}, " false false"},
		{map[string]any{"after": ids[8], "before": ids[2]}, "BAD_REQUEST"},
	} {
		tt.in["channel_id"] = "2"
		d, got := ann.call("HISTORY", tt.in)
		if got == "" {
			for _, m := range d["messages"].([]any) {
				got += m.(map[string]any)["content"].(string)
			}
			got = fmt.Sprint(got, " ", d["more"], " ", d["newer"])
		}
		if got != tt.want {
			t.Errorf("%v: %s, want %s", tt.in, got, tt.want)
		}
	}
}

// readMark is what READY says of a channel.
type readMark struct {
	ID       string
	Last     string `json:"last_message_id"`
	Mentions int    `json:"mention_count"`
	Unread   int    `json:"unread_count"`
}

// A mark is kept by user and channel, goes forward only, and is told to one's own tabs.
func TestReadMarks(t *testing.T) {
	data := filepath.Join(t.TempDir(), "chat.db")
	url, stop := start(t, data)
	robot := bot{t, url, "Bot " + unixBot}
	robot.send("before ann came")
	ann := join(t, url, "ann")
	state := func(c *client, channel string) readMark {
		t.Helper()
		for _, st := range c.reads {
			if st.ID == channel {
				return st
			}
		}
		t.Fatalf("no state of channel %s in %v", channel, c.reads)
		return readMark{}
	}
	if st := state(ann, "2"); st.Unread != 0 {
		t.Errorf("to who is new, %d are", st.Unread)
	}
	me, _, _ := userOf("ann")
	robot.send("read by who answers")
	ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": "an answer"})
	one, two := robot.send("one"), robot.send("two, <@"+me.String()+">")
	tab := join(t, url, "ann")
	if st := state(tab, "2"); st.Unread != 2 || st.Mentions != 1 {
		t.Errorf("not read yet: %+v", st)
	}
	ack := func(want string) {
		t.Helper()
		if d := string(tab.until(0, "MESSAGE_ACK")); !strings.Contains(d, `"message_id":"`+want+`"`) {
			t.Errorf("told %s, want %s", d, want)
		}
	}
	for _, message := range []string{one.ID, "5", one.ID} { // the others change nothing
		if _, code := ann.call("MARK_READ", map[string]any{"channel_id": "2", "message_id": message}); code != "" {
			t.Error(code)
		}
	}
	ack(one.ID)
	bot{t, url, "ann"}.must("POST", "/channels/2/messages/"+two.ID+"/ack", `{"token":null}`, nil)
	ack(two.ID)
	if _, code := ann.call("MARK_READ", map[string]any{"channel_id": "99", "message_id": one.ID}); code != "NOT_FOUND" {
		t.Errorf("no such channel: %q", code)
	}
	stop()
	url, _ = start(t, data)
	if st := state(join(t, url, "ann"), "2"); st.Unread != 0 || st.Last != two.ID {
		t.Errorf("after a restart: %+v", st)
	}
	ann, robot.url = join(t, url, "ann"), url
	ann.call("MARK_READ", map[string]any{"channel_id": "2", "message_id": "9000000000000000000"})
	robot.send("later")
	if st := state(join(t, url, "ann"), "2"); st.Unread != 1 {
		t.Errorf("who marks what is not there yet has read it: %+v", st)
	}
	if c := join(t, url, "Bot "+unixBot); len(c.reads) != 0 {
		t.Errorf("a bot reads: %v", c.reads)
	}
}

// A file of the first version has everything that it had: answers, nonces, reactions; all of it is read.
func TestUpgrade(t *testing.T) {
	old, err := os.ReadFile(filepath.Join("..", "..", "..", "adapters", "sqlite", "testdata", "version1.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "chat.db")
	if err := os.WriteFile(data, old, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		url, stop := start(t, data)
		var page []sent
		ann := bot{t, url, "ann"}
		ann.must("GET", "/channels/2/messages", "", &page)
		if len(page) != 3 {
			t.Fatalf("%d messages", len(page))
		}
		answer, asked, first := page[0], page[1], page[2]
		if answer.Content != "good" || answer.Referenced == nil || answer.Referenced.ID != asked.ID || answer.Author.Username != "ann" {
			t.Errorf("the answer is %+v", answer)
		}
		if len(asked.Reactions) != 1 || !asked.Author.Bot || first.Nonce != "a1" {
			t.Errorf("the others are %+v, %+v", asked, first)
		}
		c := join(t, url, "ann")
		if d, _ := c.call("SEARCH", map[string]any{"text": "enten"}); len(d["messages"].([]any)) != 1 {
			t.Errorf("found %v", d)
		}
		if d, _ := json.Marshal(c.reads); strings.Contains(string(d), `unread_count":1`) || len(c.reads) != 3 {
			t.Errorf("read marks are %s", d)
		}
		stop()
	}
}
