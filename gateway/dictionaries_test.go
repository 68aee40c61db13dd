package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/gatehouse-go/gatehouse/codec"
)

// helloMessage is what the dictionaries of these tests know.
const helloMessage = `{"id":"1170000000000000001","channel_id":"1160000000000000002","content":"hello","author":{"id":"1150000000000000003","username":"ann"}}`

func dictionaryOf(t *testing.T, id, json string) *codec.Dictionary {
	t.Helper()
	body, err := codec.AppendMsgPackFromJSON(nil, []byte(json), codec.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := codec.NewDictionary(id, body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A client fetches a dictionary, names it, is told that it was granted, and from
// then on bodies are far smaller; what it names wrongly is not granted, and it is
// served without.
func TestDictionary(t *testing.T) {
	dict := dictionaryOf(t, "chat.1", helloMessage)
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Dictionaries = []*codec.Dictionary{dict, codec.DefaultDictionary()}
	})
	fetched, err := codec.NewDictionary("chat.1", get(t, url, "/dictionaries/"+dict.Hash(), nil).body)
	if err != nil || fetched.Hash() != dict.Hash() {
		t.Fatalf("the dictionary that is served is another: %v", err)
	}
	for _, tt := range []struct {
		query   string
		granted *codec.Dictionary
	}{
		{"&dict=chat.1&dict_hash=" + dict.Hash(), fetched},
		{"&dict=chat.1", fetched},
		{"&dict=" + codec.DefaultDictionary().ID(), codec.DefaultDictionary()},
		{"", nil},
		{"&dict=chat.2", nil},
		{"&dict=", nil},
		{"&dict=chat.1&dict_hash=" + strings.Repeat("0", 64), nil},
	} {
		c := dial(t, url+"?encoding=msgpack&compress=lz4"+tt.query)
		var hello helloData
		if err := json.Unmarshal(c.want(10, "").D, &hello); err != nil || hello.HeartbeatInterval != 41250 {
			t.Fatalf("%s: Hello is %+v, %v", tt.query, hello, err)
		}
		if d := hello.Dictionary; (d != nil) != (tt.granted != nil) || d != nil && (d.ID != tt.granted.ID() || d.Hash != tt.granted.Hash()) {
			t.Fatalf("%s: Hello grants %+v, want %v", tt.query, d, tt.granted)
		}
		c.dict = tt.granted
		c.identify("ann")
		c.want(0, "READY")
		if err := g.Publish(t.Context(), "t", Event{Type: "MESSAGE_CREATE", Data: json.RawMessage(helloMessage)}); err != nil {
			t.Fatal(err)
		}
		if m := c.want(0, "MESSAGE_CREATE"); string(m.D) != helloMessage {
			t.Errorf("%s: got %s", tt.query, m.D)
		}
		switch {
		case tt.granted == fetched && c.size > 60, tt.granted == nil && c.size < 120:
			t.Errorf("%s: the message has %d bytes", tt.query, c.size)
		}
		c.ws.CloseNow()
	}
	// Other encodings have none, and do not say that they have.
	for _, query := range []string{"?compress=lz4&dict=chat.1", "?encoding=msgpack&dict=chat.1", "?compress=zlib-stream&dict=chat.1"} {
		c := dial(t, url+query)
		if _, b, err := c.ws.Read(t.Context()); err != nil || bytes.Contains(b, []byte("dictionary")) {
			t.Errorf("%s: Hello is %q, %v", query, b, err)
		}
		c.ws.CloseNow()
	}
}

type answer struct {
	*http.Response
	body []byte
}

// get asks for something at a gateway's URL.
func get(t *testing.T, url, path string, header http.Header) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http"+strings.TrimPrefix(url, "ws")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, body}
}

// Over HTTP, dictionaries are listed, and each is where its content says, for
// caches to keep.
func TestDictionariesOverHTTP(t *testing.T) {
	dict := dictionaryOf(t, "chat.1", helloMessage)
	_, url := testGateway(t, func(o *Options) { o.Dictionaries = []*codec.Dictionary{dict} })
	one := "/dictionaries/" + dict.Hash()
	tag := `"` + dict.Hash() + `"`
	for _, tt := range []struct {
		name, path string
		header     http.Header
		code       int
		body       string
		want       map[string]string
	}{
		{"the list", "/dictionaries", nil, 200, "", map[string]string{"Content-Type": "application/json", "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}},
		{"the list, with a slash", "/dictionaries/", nil, 200, "", nil},
		{"one", one, nil, 200, string(dict.Bytes()), map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "ETag": tag, "Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*"}},
		{"one that is known", one, http.Header{"If-None-Match": {tag}}, 304, "", map[string]string{"ETag": tag}},
		{"a part of one", one, http.Header{"Range": {"bytes=0-9"}}, 206, string(dict.Bytes()[:10]), nil},
		{"one by its id", "/dictionaries/chat.1", nil, 404, "gateway: no dictionary has this hash\n", map[string]string{"Cache-Control": ""}},
		{"something below one", one + "/x", nil, 426, "gateway: this is a WebSocket endpoint\n", nil},
		{"another word", "/dictionariesx", nil, 426, "gateway: this is a WebSocket endpoint\n", nil},
	} {
		got := get(t, url, tt.path, tt.header)
		if got.StatusCode != tt.code || tt.body != "" && string(got.body) != tt.body {
			t.Errorf("%s: %d %.80q", tt.name, got.StatusCode, got.body)
		}
		for key, want := range tt.want {
			if got.Header.Get(key) != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, key, got.Header.Get(key), want)
			}
		}
	}
	var list struct {
		Dictionaries []struct {
			ID, Hash string
			Size     int
		}
	}
	got := get(t, url, "/dictionaries", nil)
	if err := json.Unmarshal(got.body, &list); err != nil || len(list.Dictionaries) != 1 ||
		list.Dictionaries[0].ID != "chat.1" || list.Dictionaries[0].Hash != dict.Hash() || list.Dictionaries[0].Size != len(dict.Bytes()) {
		t.Errorf("the list is %s, %v", got.body, err)
	}
	if got := get(t, url, "/gateway/bot", nil); got.StatusCode != 200 {
		t.Errorf("/gateway/bot: %d", got.StatusCode)
	}
}

func TestDictionariesOption(t *testing.T) {
	dict, other := dictionaryOf(t, "chat.1", helloMessage), dictionaryOf(t, "chat.1", `"other"`)
	for _, all := range [][]*codec.Dictionary{{dict, other}, {nil}} {
		_, err := New(Options{Authenticate: func(context.Context, Identify) (User, error) { return User{}, nil }, Dictionaries: all})
		if err == nil || !strings.HasPrefix(err.Error(), "gateway: Options.Dictionaries: ") {
			t.Errorf("%v are taken: %v", all, err)
		}
	}
	_, url := testGateway(t, func(o *Options) { o.Dictionaries = []*codec.Dictionary{} })
	if got := get(t, url, "/dictionaries", nil); string(got.body) != `{"dictionaries":[]}` {
		t.Errorf("without any: %s", got.body)
	}
	ws, _, err := websocket.Dial(t.Context(), url+"?encoding=msgpack&compress=lz4&dict="+codec.DefaultDictionary().ID(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if _, b, err := ws.Read(t.Context()); err != nil || bytes.Contains(b, []byte("dictionary")) {
		t.Errorf("Hello is %q, %v", b, err)
	}
}
