package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// bot uses the HTTP API.
type bot struct {
	t          *testing.T
	url, token string
}

// reply is an answer, decoded.
type reply struct {
	*http.Response
	text string
}

func (b bot) do(method, path, kind, body string) reply {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+"/api/v10"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if b.token != "" {
		req.Header.Set("Authorization", b.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); len(text) > 0 && kind != "application/json" || len(text) == 0 && resp.StatusCode != 204 {
		b.t.Errorf("%s %s: %d with %d bytes of %q", method, path, resp.StatusCode, len(text), kind)
	}
	return reply{resp, string(text)}
}

// must decodes a good answer; in is JSON, or empty.
func (b bot) must(method, path, in string, out any) {
	b.t.Helper()
	r := b.do(method, path, "application/json", in)
	if r.StatusCode/100 != 2 {
		b.t.Fatalf("%s %s: %s %s", method, path, r.Status, r.text)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal([]byte(r.text), out); err != nil {
		b.t.Fatalf("%s %s: %v in %s", method, path, err, r.text)
	}
}

// sent is what tests look at in a message.
type sent struct {
	ID, Content     string
	Timestamp       any
	EditedTimestamp *string `json:"edited_timestamp"`
	Author          struct {
		ID, Username string
		Bot          bool
	}
	Nonce      any
	Type       int
	Mentions   []struct{ ID string }
	Reference  *struct{} `json:"message_reference"`
	Referenced *sent     `json:"referenced_message"`
	Reactions  []struct {
		Count int
		Me    bool
		Emoji struct {
			ID   *string
			Name string
		}
	}
}

func (b bot) send(content string) (m sent) {
	b.t.Helper()
	b.must("POST", "/channels/2/messages", `{"content":`+quote(content)+`}`, &m)
	return m
}

func quote(text string) string {
	q, _ := json.Marshal(text)
	return string(q)
}

const (
	unix    = "1700000000000000001"
	unixBot = "MTcwMDAwMDAwMDAwMDAwMDAwMQ.x.y" // whose token names that id
)

func TestAPIAnswers(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann, robot, nobody := bot{t, url, "ann"}, bot{t, url, "Bot " + unixBot}, bot{t, url, ""}
	m := ann.send("one")
	at := "/channels/2/messages/" + m.ID
	long := quote(strings.Repeat("x", 2001))
	for _, tt := range []struct {
		as           bot
		method, path string
		in           string
		status       int
		want         string // in the answer
	}{
		{nobody, "GET", "/users/@me", "", 401, `{"code":0,"message":"401: Unauthorized"}`},
		{bot{t, url, "Bot "}, "GET", "/users/@me", "", 401, "401: Unauthorized"},
		{bot{t, url, strings.Repeat("x", 33)}, "GET", "/users/@me", "", 401, "401: Unauthorized"},
		{bot{t, url, "Bearer ann"}, "GET", "/users/@me", "", 200, `"username":"ann"`},
		{ann, "GET", "/users/@me", "", 200, `"bot":false`},
		{robot, "GET", "/users/@me", "", 200, `"id":"` + unix + `"`},
		{robot, "GET", "/users/@me", "", 200, `"bot":true`},
		{ann, "GET", "/users/" + unix, "", 200, `"bot":true`},
		{ann, "GET", "/users/77", "", 404, `"code":10013`},
		{ann, "GET", "/users/@me/guilds", "", 200, `"id":"1"`},
		{ann, "GET", "/users/@me/guilds?with_counts=true", "", 200, `"approximate_member_count":2,"approximate_presence_count":0`},
		{ann, "POST", "/users/@me/channels", `{"recipient_id":"1"}`, 400, `"code":50007`},
		{robot, "GET", "/applications/@me", "", 200, `"id":"` + unix + `"`},
		{robot, "GET", "/applications/@me", "", 200, `"flags":565248`},
		{robot, "GET", "/oauth2/applications/@me", "", 200, `"bot_public":true`},
		{nobody, "GET", "/gateway", "", 200, `{"url":"ws`},
		{nobody, "GET", "/gateway/bot", "", 401, `"code":0`},
		{robot, "GET", "/gateway/bot", "", 200, `"max_concurrency":16`},

		{robot, "GET", "/applications/" + unix + "/emojis", "", 200, `{"items":[]}`},
		{robot, "GET", "/applications/" + unix + "/commands", "", 200, `[]`},
		{robot, "PUT", "/applications/" + unix + "/commands", `[]`, 200, `[]`},
		{robot, "PUT", "/applications/" + unix + "/guilds/1/commands", `[{"name":"x"}]`, 400, `"code":30032`},
		{robot, "GET", "/soundboard-default-sounds", "", 200, `[]`},
		{robot, "GET", "/guilds/1/emojis", "", 200, `[]`},
		{robot, "GET", "/guilds/2/stickers", "", 404, `"code":10004`},
		{robot, "GET", "/guilds/1/threads/active", "", 200, `"threads":[]`},

		{ann, "GET", "/nope", "", 404, `{"code":0,"message":"404: Not Found"}`},
		{ann, "GET", "/guilds/1/nope", "", 404, "404: Not Found"},
		{ann, "GET", "", "", 404, "404: Not Found"},
		{ann, "PUT", "/users/@me", "", 405, `{"code":0,"message":"405: Method Not Allowed"}`},
		{ann, "PUT", at, "", 405, "405: Method Not Allowed"},
		{ann, "GET", "/channels/2/messages/bulk-delete", "", 400, "NUMBER_TYPE_COERCE"},

		{ann, "GET", "/guilds/1", "", 200, `"name":"Gatehouse"`},
		{ann, "GET", "/guilds/1?with_counts=true", "", 200, `"approximate_member_count":2`},
		{ann, "GET", "/guilds/9", "", 404, `"code":10004`},
		{ann, "GET", "/guilds/1/channels", "", 200, `"position":2`},
		{ann, "GET", "/guilds/1/roles", "", 200, `"primary_color":0`},
		{ann, "GET", "/guilds/1/roles/1", "", 200, `"@everyone"`},
		{ann, "GET", "/guilds/1/roles/2", "", 404, `"code":10011`},
		{ann, "GET", "/guilds/1/members/" + unix, "", 200, `"flags":0`},
		{ann, "GET", "/guilds/1/members/@me", "", 200, `"username":"ann"`},
		{ann, "GET", "/guilds/1/members/77", "", 404, `"code":10007`},
		{ann, "GET", "/guilds/1/members/search?query=AN", "", 200, `"username":"ann"`},
		{ann, "GET", "/guilds/1/members/search?query=nn", "", 200, `[]`},
		{ann, "GET", "/guilds/1/members?limit=1001", "", 400, "NUMBER_TYPE_RANGE"},
		{ann, "POST", "/guilds/1/channels", `{"name":"New Place","type":0}`, 201, `"name":"new-place"`},
		{ann, "POST", "/guilds/1/channels", `{"name":"New Place"}`, 400, `"code":50035`},
		{ann, "POST", "/guilds/1/channels", `{"name":"x","type":2}`, 400, `"type":{"_errors"`},

		{ann, "GET", "/channels/2", "", 200, `"last_message_id":"` + m.ID + `"`},
		{ann, "GET", "/channels/99", "", 404, `"code":10003`},
		{ann, "GET", "/channels/x", "", 400, `"channel_id":{"_errors":[{"code":"NUMBER_TYPE_COERCE"`},
		{ann, "POST", "/channels/2/typing", "", 204, ""},
		{ann, "POST", "/channels/99/typing", "", 404, `"code":10003`},
		{ann, "GET", at, "", 200, `"content":"one"`},
		{ann, "GET", "/channels/3/messages/" + m.ID, "", 404, `"code":10008`},
		{ann, "POST", "/channels/2/messages", `{}`, 400, `"code":50006`},
		{ann, "POST", "/channels/2/messages", ``, 400, `"code":50006`},
		{ann, "POST", "/channels/2/messages", `{"content":" "}`, 400, `"code":50006`},
		{ann, "POST", "/channels/2/messages", `{"content":` + long + `}`, 400, `{"content":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH"`},
		{ann, "POST", "/channels/2/messages", `{"content":7}`, 400, `{"content":{"_errors"`},
		{ann, "POST", "/channels/2/messages", `{"content":`, 400, `"code":50109`},
		{ann, "POST", "/channels/2/messages", `{"content":"x"} {}`, 400, `"code":50109`},
		{ann, "POST", "/channels/2/messages", `{"content":"` + strings.Repeat(`\n`, 1<<19) + `"}`, 413, `"code":40005`},
		{ann, "POST", "/channels/99/messages", `{"content":"x"}`, 404, `"code":10003`},
		{ann, "POST", "/channels/2/messages", `{"content":"x","embeds":[{"title":"x"}]}`, 403, `"code":50013`},
		{ann, "POST", "/channels/2/messages", `{"content":"x","message_reference":{"message_id":"7"}}`, 400, `"message_reference":`},
		{ann, "POST", "/channels/2/messages", `{"content":"x","message_reference":{"message_id":"y"}}`, 400, `"code":50035`},
		{robot, "PATCH", at, `{"content":"x"}`, 403, `"code":50005`},
		{robot, "PATCH", at, `{"flags":4}`, 403, `"code":50005`},
		{ann, "PATCH", at, `{"flags":4}`, 200, `"content":"one"`},
		{ann, "PATCH", "/channels/2/messages/7", `{"content":"x"}`, 404, `"code":10008`},
		{robot, "DELETE", at, "", 403, `"code":50013`},
		{ann, "DELETE", "/channels/2/messages/7", "", 404, `"code":10008`},
		{ann, "POST", "/channels/2/messages/bulk-delete", `{"messages":["1"]}`, 400, `"code":50016`},
		{robot, "POST", "/channels/2/messages/bulk-delete", `{"messages":["7","` + m.ID + `"]}`, 403, `"code":50013`},
		{ann, "GET", "/channels/2/messages?limit=0", "", 400, "NUMBER_TYPE_RANGE"},
		{ann, "GET", "/channels/2/messages?before=x", "", 400, `"before":{"_errors"`},

		{ann, "PUT", at + "/reactions/x/@me", "", 400, `"code":10014`},
		{ann, "PUT", "/channels/2/messages/7/reactions/%F0%9F%94%A5/@me", "", 404, `"code":10008`},
		{ann, "GET", at + "/reactions/x", "", 400, `"code":10014`},
		{robot, "DELETE", at + "/reactions", "", 403, `"code":50013`},
		{robot, "DELETE", at + "/reactions/%F0%9F%94%A5/77", "", 403, `"code":50013`},
	} {
		r := tt.as.do(tt.method, tt.path, "application/json", tt.in)
		if r.StatusCode != tt.status || !strings.Contains(r.text, tt.want) {
			t.Errorf("%s %s %.60s: %d %.300s, want %d with %s", tt.method, tt.path, tt.in, r.StatusCode, r.text, tt.status, tt.want)
		}
	}
}

func TestAPIVersions(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	for path, want := range map[string]int{
		"/api/gateway": 200, "/api/v9/gateway": 200, "/api/v10/gateway": 200, "/api/v8/gateway": 400, "/api/v11/gateway": 400,
		"/api": 404, "/api/": 404, "/api/v10": 404, "/api/v10x/gateway": 404, "/apiary": 404, "/healthz": 200, "/": 200,
	} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

// What is done by HTTP and what is done over the gateway is the same, and is
// told once.
func TestAPIAndCommandsAreOne(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	watcher, page, robot := join(t, url, "watcher"), join(t, url, "ann"), bot{t, url, "ann"}
	tell := func(kind string) (o sent) {
		t.Helper()
		if err := json.Unmarshal(watcher.until(0, kind), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	in := `{"content":"by HTTP","nonce":"n1","enforce_nonce":true}`
	var m, again sent
	robot.must("POST", "/channels/2/messages", in, &m)
	robot.must("POST", "/channels/2/messages", in, &again)
	if told := tell("MESSAGE_CREATE"); told.ID != m.ID || again.ID != m.ID || told.Nonce != "n1" || m.Nonce != "n1" {
		t.Errorf("sent %+v and %+v, told %+v", m, again, told)
	}
	if got := m.Timestamp.(string); !strings.HasSuffix(got, "+00:00") || len(got) != len("2006-01-02T15:04:05.000000+00:00") {
		t.Errorf("timestamp %s", got)
	}
	d, code := page.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": "by HTTP", "nonce": "n1", "enforce_nonce": true})
	if code != "" || d["id"] != m.ID {
		t.Errorf("sent again by the page: %v %s", d, code)
	}
	if _, code := page.call("EDIT_MESSAGE", map[string]any{"channel_id": "2", "message_id": m.ID, "content": "by the page"}); code != "" {
		t.Error(code)
	}
	if told := tell("MESSAGE_UPDATE"); told.Content != "by the page" || told.EditedTimestamp == nil {
		t.Errorf("told %+v", told)
	}
	robot.must("PATCH", "/channels/2/messages/"+m.ID, `{"content":"by HTTP again"}`, &again)
	if told := tell("MESSAGE_UPDATE"); told.Content != "by HTTP again" || again.Content != told.Content {
		t.Errorf("told %+v", told)
	}
	if got := page.history("2"); got != "by HTTP again|" {
		t.Errorf("history is %s", got)
	}
	robot.must("DELETE", "/channels/2/messages/"+m.ID, "", nil)
	if told := tell("MESSAGE_DELETE"); told.ID != m.ID {
		t.Errorf("told %+v", told)
	}
	if _, code := page.call("DELETE_MESSAGE", map[string]any{"channel_id": "2", "message_id": m.ID}); code != "NOT_FOUND" {
		t.Errorf("deleted again: %q", code)
	}
	robot.must("POST", "/channels/2/typing", "", nil)
	tell("TYPING_START")
	robot.must("POST", "/guilds/1/channels", `{"name":"more"}`, nil)
	tell("CHANNEL_CREATE")
}

func TestAPIPages(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := bot{t, url, "ann"}
	var ids []string
	for i := range 9 {
		ids = append(ids, ann.send(fmt.Sprint(i)).ID)
	}
	for query, want := range map[string]string{
		"":                               "876543210",
		"limit=3":                        "876",
		"limit=3&before=" + ids[4]:       "321",
		"limit=3&after=" + ids[4]:        "765",
		"limit=100&after=0":              "876543210",
		"limit=3&after=0":                "210",
		"limit=5&around=" + ids[4]:       "65432",
		"limit=4&around=" + ids[4]:       "5432",
		"limit=5&around=" + ids[8]:       "87654",
		"limit=1&around=" + ids[4]:       "4",
		"limit=2&before=" + ids[0]:       "",
		"around=" + ids[4] + "&limit=50": "876543210",
	} {
		var page []sent
		ann.must("GET", "/channels/2/messages?"+query, "", &page)
		got := ""
		for _, m := range page {
			got += m.Content
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	ann.must("POST", "/channels/2/messages/bulk-delete", `{"messages":["`+ids[1]+`",`+ids[2]+`,"7"]}`, nil)
	var page []sent
	if ann.must("GET", "/channels/2/messages", "", &page); len(page) != 7 {
		t.Errorf("%d messages are left", len(page))
	}
	var members []struct{ User struct{ ID string } }
	bot{t, url, "Bot zoe"}.must("GET", "/users/@me", "", nil)
	ann.must("GET", "/guilds/1/members?limit=1000", "", &members)
	if len(members) != 2 {
		t.Fatalf("%d members", len(members))
	}
	if ann.must("GET", "/guilds/1/members?limit=9&after="+members[0].User.ID, "", &members); len(members) != 1 {
		t.Errorf("%d members behind the first", len(members))
	}
}

func TestAPIReplies(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann, robot := bot{t, url, "ann"}, bot{t, url, "Bot " + unixBot}
	watcher := join(t, url, "watcher")
	first := ann.send("ping <@" + unix + ">")
	if len(first.Mentions) != 0 {
		t.Errorf("mentions of who is not there: %v", first.Mentions)
	}
	var answer sent
	// As a number, as discord.py has it.
	robot.must("POST", "/channels/2/messages", `{"content":"pong <@!`+unix+`> <@`+unix+`>","message_reference":{"message_id":`+first.ID+`,"channel_id":2}}`, &answer)
	if answer.Type != 19 || answer.Referenced == nil || answer.Referenced.ID != first.ID || len(answer.Mentions) != 1 || !answer.Author.Bot {
		t.Errorf("the answer is %+v", answer)
	}
	watcher.until(0, "MESSAGE_CREATE")
	if d := string(watcher.until(0, "MESSAGE_CREATE")); !strings.Contains(d, `"message_reference":{`) || !strings.Contains(d, `"content":"ping`) {
		t.Errorf("told %s", d)
	}
	ann.must("DELETE", "/channels/2/messages/"+first.ID, "", nil)
	robot.must("GET", "/channels/2/messages/"+answer.ID, "", &answer)
	if answer.Type != 19 || answer.Reference == nil {
		t.Errorf("the answer to what was deleted is %+v", answer)
	}
	robot.must("POST", "/channels/2/messages", `{"content":"x","message_reference":{"message_id":"`+first.ID+`","fail_if_not_exists":false}}`, &answer)
	if answer.Type != 0 {
		t.Errorf("an answer to nothing is %+v", answer)
	}
}

func TestAPIReactions(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann, robot := bot{t, url, "ann"}, bot{t, url, "Bot " + unixBot}
	watcher := join(t, url, "watcher")
	m := ann.send("one")
	at := "/channels/2/messages/" + m.ID + "/reactions"
	const fire, heart = "/%F0%9F%94%A5", "/%E2%9D%A4%EF%B8%8F"
	tell := func(kind, want string) {
		t.Helper()
		if d := string(watcher.until(0, kind)); !strings.Contains(d, want) {
			t.Errorf("%s: %s", kind, d)
		}
	}
	robot.must("PUT", at+fire+"/@me", "", nil)
	tell("MESSAGE_REACTION_ADD", `"user_id":"`+unix+`"`)
	robot.must("PUT", at+fire+"/@me", "", nil) // again: not told
	ann.must("PUT", at+heart+"/@me", "", nil)
	tell("MESSAGE_REACTION_ADD", "❤")
	ann.must("PUT", at+fire+"/@me", "", nil)
	tell("MESSAGE_REACTION_ADD", "🔥")
	seen := func(b bot) (got string) {
		t.Helper()
		var m2 sent
		b.must("GET", "/channels/2/messages/"+m.ID, "", &m2)
		for _, r := range m2.Reactions {
			got += fmt.Sprintln(r.Emoji.Name, r.Count, r.Me)
		}
		return got
	}
	if got := seen(robot); got != "🔥 2 true\n❤️ 1 false\n" {
		t.Errorf("reactions are %s", got)
	}
	var who []struct{ ID string }
	if robot.must("GET", at+fire+"?limit=1", "", &who); len(who) != 1 || who[0].ID != unix {
		t.Errorf("who: %v", who)
	}
	if robot.must("GET", at+fire+"?after="+unix, "", &who); len(who) != 1 || who[0].ID == unix {
		t.Errorf("who else: %v", who)
	}
	robot.must("DELETE", at+fire+"/@me", "", nil)
	tell("MESSAGE_REACTION_REMOVE", `"user_id":"`+unix+`"`)
	robot.must("DELETE", at+fire+"/@me", "", nil)
	robot.must("PUT", at+heart+"/@me", "", nil)
	ann.must("DELETE", at+heart+"/"+unix, "", nil) // from a message of one's own
	tell("MESSAGE_REACTION_REMOVE", "❤")
	ann.must("DELETE", at+fire, "", nil)
	tell("MESSAGE_REACTION_REMOVE_EMOJI", "🔥")
	ann.must("DELETE", at, "", nil)
	tell("MESSAGE_REACTION_REMOVE_ALL", m.ID)
	if got := seen(ann); got != "" {
		t.Errorf("reactions are %s", got)
	}
	for i := range maxReactions {
		ann.must("PUT", at+"/"+fmt.Sprintf("%%F0%%9F%%98%%%X", 0x80+i)+"/@me", "", nil)
	}
	if r := ann.do("PUT", at+fire+"/@me", "", ""); r.StatusCode != 400 || !strings.Contains(r.text, `"code":30010`) {
		t.Errorf("one too many: %s %s", r.Status, r.text)
	}
	ann.must("DELETE", "/channels/2/messages/"+m.ID, "", nil)
	if r := ann.do("GET", at+fire, "", ""); r.StatusCode != 404 {
		t.Errorf("reactions to what was deleted: %s %s", r.Status, r.text)
	}
}

func TestEmoji(t *testing.T) {
	for text, want := range map[string]bool{
		"🔥": true, "❤️": true, "👍🏽": true, "👩‍👩‍👧‍👦": true, "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": true, "🇩🇪": true, "1️⃣": true, "#️⃣": true,
		"ℹ️": true, "‼️": true, "©️": true, "〰️": true, "↔️": true,
		"": false, "x": false, "1": false, "name:123": false, "🔥x": false, " ": false, "+": false, "\u200d": false, "\xff": false, strings.Repeat("🔥", 20): false,
	} {
		if isEmoji(text) != want {
			t.Errorf("isEmoji(%q) is not %v", text, want)
		}
	}
}

// Libraries send a form when there are files, some always.
func TestAPIForms(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := bot{t, url, "ann"}
	post := func(write func(*multipart.Writer)) reply {
		t.Helper()
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		write(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return ann.do("POST", "/channels/2/messages", w.FormDataContentType(), body.String())
	}
	json := func(w *multipart.Writer) { w.WriteField("payload_json", `{"content":"in a form","attachments":[]}`) }
	if r := post(json); r.StatusCode != 200 || !strings.Contains(r.text, `"content":"in a form"`) {
		t.Errorf("payload_json: %s %s", r.Status, r.text)
	}
	if r := post(func(w *multipart.Writer) {
		json(w)
		f, _ := w.CreateFormFile("files[0]", "x.txt")
		io.WriteString(f, "lost?")
	}); r.StatusCode != 403 || !strings.Contains(r.text, "50013") {
		t.Errorf("a file: %s %s", r.Status, r.text)
	}
	if r := post(func(*multipart.Writer) {}); r.StatusCode != 400 || !strings.Contains(r.text, "50006") {
		t.Errorf("an empty form: %s %s", r.Status, r.text)
	}
	if r := ann.do("POST", "/channels/2/messages", "multipart/form-data; boundary=x", "no form"); r.StatusCode != 400 || !strings.Contains(r.text, "50109") {
		t.Errorf("no form: %s %s", r.Status, r.text)
	}
	var page []sent
	if ann.must("GET", "/channels/2/messages", "", &page); len(page) != 1 {
		t.Errorf("%d messages", len(page))
	}
}

// full is a limiter with no tokens for one key.
type full string

func (f full) Take(_ context.Context, key string, _ gateway.Rate, _ int) (time.Duration, error) {
	if key == string(f) {
		return 1234567 * time.Microsecond, nil
	}
	return 0, nil
}

// Who sends too much waits, as libraries understand it.
func TestAPIRateLimit(t *testing.T) {
	s, err := New(t.Context(), Options{Data: filepath.Join(t.TempDir(), "chat.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	ann, _, _ := userOf("ann")
	s.limiter = full("send:" + ann.String())
	srv := httptest.NewServer(s.Handler())
	defer srv.Close()
	for name, want := range map[string]int{"ann": 429, "bob": 200} {
		r := bot{t, srv.URL, name}.do("POST", "/channels/2/messages", "application/json", `{"content":"x"}`)
		if r.StatusCode != want {
			t.Fatalf("%s: %s %s", name, r.Status, r.text)
		}
		h := r.Header
		if h.Get("X-RateLimit-Remaining")+h.Get("X-RateLimit-Limit")+h.Get("X-RateLimit-Reset") != "" {
			t.Errorf("%s: some headers, and not all: %v", name, h)
		}
		if name == "bob" {
			continue
		}
		if want := `{"code":0,"global":false,"message":"You are being rate limited.","retry_after":1.235}`; r.text != want {
			t.Errorf("%s", r.text)
		}
		if h.Get("Via") == "" || h.Get("Retry-After") != "2" || h.Get("X-RateLimit-Scope") != "user" {
			t.Errorf("headers are %v", h)
		}
	}
	if page, err := s.store.Page(t.Context(), "2", message.Query{Limit: 10}); err != nil || len(page) != 1 {
		t.Errorf("%d messages, %v", len(page), err)
	}
}

// What belongs to a message goes with it.
func TestDeletedMessagesLeaveNothing(t *testing.T) {
	s, err := New(t.Context(), Options{Data: filepath.Join(t.TempDir(), "chat.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	ctx := t.Context()
	me, err := s.signIn(ctx, "ann", false)
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.send(ctx, me.id, sendMessage{ChannelID: 2, Content: "one"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.send(ctx, me.id, sendMessage{ChannelID: 2, Content: "two", Reply: &reference{MessageID: first["id"].(id)}})
	if err != nil {
		t.Fatal(err)
	}
	i := second["id"].(id)
	if err := s.react(ctx, me.id, react{ChannelID: 2, MessageID: i, Emoji: "🔥"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.remove(ctx, me.id, deleteMessage{ChannelID: 2, MessageID: i}); err != nil {
		t.Fatal(err)
	}
	if left, err := s.guild.reactions(ctx, me.id, []id{i}); err != nil || len(left) > 0 {
		t.Errorf("reactions %v, %v", left, err)
	}
}
