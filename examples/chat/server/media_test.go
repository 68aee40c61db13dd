package server

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message/media"
)

// attached is what tests look at in a message's files.
type attached struct {
	ID, Filename, URL string
	Size              int
	ContentType       string `json:"content_type"`
	ProxyURL          string `json:"proxy_url"`
	Width, Height     *int
}

type withFiles struct {
	ID, Content string
	Attachments []attached
}

// startWithMedia serves new files, and is asked again after stop.
func startWithMedia(t *testing.T, dir string) (url string, stop func()) {
	t.Helper()
	return startOptions(t, Options{Data: filepath.Join(dir, "chat.db"), Media: filepath.Join(dir, "media"), URL: "https://chat.example.com/"})
}

func picture(t *testing.T, width, height int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// upload posts a file as the page does.
func (b bot) upload(name, body string) (status int, hash, text string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), "POST", b.url+"/media/?name="+name, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", b.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var out struct{ Hash string }
	json.Unmarshal(all, &out)
	return resp.StatusCode, out.Hash, string(all)
}

// form posts a message with files, named files[0] and on.
func (b bot) form(payload string, files ...[2]string) reply {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i, f := range files {
		part, _ := w.CreateFormFile("files["+string(rune('0'+i))+"]", f[0])
		io.WriteString(part, f[1])
	}
	w.WriteField("payload_json", payload)
	w.Close()
	return b.do("POST", "/channels/2/messages", w.FormDataContentType(), body.String())
}

// A file that was uploaded is in the message that names it, for everybody, and after a restart.
func TestMessageWithFiles(t *testing.T) {
	dir := t.TempDir()
	url, stop := startWithMedia(t, dir)
	ann, robot := bot{t, url, "ann"}, join(t, url, "Bot robot")
	cat := picture(t, 40, 30)
	status, hash, text := ann.upload("..%2Fcat%20one.exe", cat)
	if status != 201 || !strings.Contains(text, `"url":"https://chat.example.com/media/`+hash+`/cat_one.png"`) {
		t.Fatalf("upload: %d %s", status, text)
	}
	page := join(t, url, "ann")
	in := map[string]any{"channel_id": "2", "content": " ", "nonce": "n", "enforce_nonce": true,
		"attachments": []any{map[string]any{"uploaded_filename": hash, "filename": "../cat one.exe"}}}
	first, code := page.call("SEND_MESSAGE", in)
	if code != "" {
		t.Fatal(code)
	}
	if again, _ := page.call("SEND_MESSAGE", in); again["id"] != first["id"] {
		t.Error("sent again, it is another message")
	}
	var told withFiles
	if err := json.Unmarshal(robot.until(0, "MESSAGE_CREATE"), &told); err != nil || len(told.Attachments) != 1 {
		t.Fatalf("told of %+v, %v", told, err)
	}
	check := func(when string, a attached) {
		t.Helper()
		address := "https://chat.example.com/media/" + hash + "/cat_one.png"
		if a.ID == "" || a.Filename != "cat_one.png" || a.URL != address || a.ProxyURL != address || a.Size != len(cat) ||
			a.ContentType != "image/png" || a.Width == nil || *a.Width != 40 || a.Height == nil || *a.Height != 30 {
			t.Errorf("%s: %+v", when, a)
		}
	}
	check("told", told.Attachments[0])
	if _, code := page.call("EDIT_MESSAGE", map[string]any{"channel_id": "2", "message_id": told.ID, "content": "with words"}); code != "" {
		t.Errorf("edit: %s", code)
	}
	if _, code := page.call("EDIT_MESSAGE", map[string]any{"channel_id": "2", "message_id": told.ID, "content": ""}); code != "" {
		t.Errorf("edit to no words: %s", code)
	}
	stop()

	ann.url, stop = startWithMedia(t, dir)
	defer stop()
	var history []withFiles
	ann.must("GET", "/channels/2/messages", "", &history)
	if len(history) != 1 || len(history[0].Attachments) != 1 {
		t.Fatalf("after a restart: %+v", history)
	}
	check("after a restart", history[0].Attachments[0])
	resp, err := http.Get(ann.url + "/media/" + hash + "/cat_one.png")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	h := resp.Header
	if string(body) != cat || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Content-Type") != "image/png" {
		t.Errorf("the file is %d bytes, %v", len(body), h)
	}
}

// Libraries send files beside the message.
func TestFilesInAForm(t *testing.T) {
	url, _ := startWithMedia(t, t.TempDir())
	robot := bot{t, url, "Bot robot"}
	r := robot.form(`{"content":"look","attachments":[{"id":"1","filename":"renamed.txt"}]}`, [2]string{"a.png", picture(t, 3, 2)}, [2]string{"b", "plain text"})
	var m withFiles
	if err := json.Unmarshal([]byte(r.text), &m); err != nil || r.StatusCode != 200 || len(m.Attachments) != 2 {
		t.Fatalf("%s %s", r.Status, r.text)
	}
	if a, b := m.Attachments[0], m.Attachments[1]; a.Filename != "a.png" || *a.Width != 3 || b.Filename != "renamed.txt" || b.ContentType != "text/plain; charset=utf-8" || b.Width != nil {
		t.Errorf("%+v", m.Attachments)
	}
	if m.Content != "look" {
		t.Errorf("it says %q", m.Content)
	}
	if r := robot.form(`{}`, [2]string{"a.txt", "no words"}); r.StatusCode != 200 {
		t.Errorf("files alone: %s", r.text)
	}
	for name, tt := range map[string]struct {
		r      reply
		status int
		want   string
	}{
		"page":        {robot.form(`{}`, [2]string{"a.png", "<html><script>alert(1)</script>"}), 415, "415"},
		"SVG":         {robot.form(`{}`, [2]string{"a.png", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`}), 415, "415"},
		"empty":       {robot.form(`{}`, [2]string{"a.txt", ""}), 400, "50035"},
		"too large":   {robot.form(`{}`, [2]string{"a.txt", strings.Repeat("a", maxUpload+1)}), 413, "40005"},
		"too many":    {robot.form(`{}`, make11()...), 400, "50035"},
		"nothing":     {robot.form(`{"content":" "}`), 400, "50006"},
		"no such one": {robot.form(`{"content":"x","attachments":[{"id":5}]}`, [2]string{"a.txt", "a"}), 400, "50035"},
		"not a form":  {robot.do("POST", "/channels/2/messages", "application/json", `{"attachments":[{"uploaded_filename":"`+strings.Repeat("ab", 32)+`"}]}`), 400, "50035"},
		"no hash":     {robot.do("POST", "/channels/2/messages", "application/json", `{"attachments":[{"uploaded_filename":"../../chat.db"}]}`), 400, "50035"},
		"to a PATCH":  {robot.do("PATCH", "/channels/2/messages/"+m.ID, "application/json", `{"attachments":[{"id":"1"}]}`), 403, "50013"},
		"by nobody":   {bot{t, url, ""}.form(`{}`, [2]string{"a.txt", "a"}), 401, "401"},
	} {
		if tt.r.StatusCode != tt.status || !strings.Contains(tt.r.text, tt.want) {
			t.Errorf("%s: %s %s, want %d with %s", name, tt.r.Status, tt.r.text, tt.status, tt.want)
		}
	}
	var history []withFiles
	robot.must("GET", "/channels/2/messages", "", &history)
	if len(history) != 2 {
		t.Errorf("%d messages", len(history))
	}
}

func make11() (files [][2]string) {
	for range 11 {
		files = append(files, [2]string{"a.txt", "the same"})
	}
	return files
}

// Who may upload, and what, and how often.
func TestUploadsThatAreRefused(t *testing.T) {
	url, _ := startWithMedia(t, t.TempDir())
	for name, tt := range map[string]struct {
		token, body string
		want        int
	}{
		"nobody":    {"", "text", 401},
		"no name":   {"\u200b", "text", 401},
		"page":      {"ann", "<!doctype html><script>alert(1)</script>", 415},
		"program":   {"ann", "\x7fELF\x02\x01\x01\x00", 415},
		"empty":     {"ann", "", 400},
		"too large": {"ann", strings.Repeat("a", maxUpload+1), 413},
		"text":      {"李", "text", 201},
	} {
		if status, _, text := (bot{t, url, tt.token}).upload("a.txt", tt.body); status != tt.want {
			t.Errorf("%s: %d %s, want %d", name, status, text, tt.want)
		}
	}
	bob := bot{t, url, "bob"}
	for range uploadRate.Burst {
		if status, _, text := bob.upload("a.txt", "text"); status != 201 {
			t.Fatal(status, text)
		}
	}
	if status, _, text := bob.upload("a.txt", "text"); status != 429 || !strings.Contains(text, "retry_after") {
		t.Errorf("one too many: %d %s", status, text)
	}
}

// Without a folder nobody uploads, and the permissions that members have say so.
func TestWithoutMedia(t *testing.T) {
	for dir, want := range map[string]string{"": "68688", t.TempDir(): "101456"} {
		url, _ := startOptions(t, Options{Data: filepath.Join(t.TempDir(), "chat.db"), Media: dir})
		ann := bot{t, url, "ann"}
		var roles []struct{ Permissions string }
		if ann.must("GET", "/guilds/1/roles", "", &roles); roles[0].Permissions != want {
			t.Errorf("permissions are %s, want %s", roles[0].Permissions, want)
		}
		if dir != "" {
			continue
		}
		if status, _, _ := ann.upload("a.txt", "text"); status != http.StatusMethodNotAllowed {
			t.Errorf("upload: %d", status)
		}
		if r := ann.form(`{"content":"x"}`, [2]string{"a.txt", "text"}); r.StatusCode != 403 {
			t.Errorf("form: %s", r.Status)
		}
		ref := `{"content":"x","attachments":[{"uploaded_filename":"` + strings.Repeat("ab", 32) + `"}]}`
		if r := ann.do("POST", "/channels/2/messages", "application/json", ref); r.StatusCode != 403 {
			t.Errorf("reference: %s", r.Status)
		}
	}
}

// A picture that says it is as wide as the world is a number, and no memory.
func TestPixels(t *testing.T) {
	lie := []byte(picture(t, 1, 1))
	copy(lie[16:24], "\x7f\xff\xff\xff\x7f\xff\xff\xff")
	for name, tt := range map[string]struct {
		data          string
		width, height int
	}{
		"good": {picture(t, 7, 5), 7, 5}, "half": {picture(t, 7, 5)[:20], 0, 0}, "none": {"RIFF", 0, 0}, "lie": {string(lie), 0, 0},
	} {
		if w, h := pixels(strings.NewReader(tt.data)); w != tt.width || h != tt.height {
			t.Errorf("%s: %d x %d", name, w, h)
		}
	}
}

// What is kept of a file with its message is read by the next version, too.
func TestFileAsItIsKept(t *testing.T) {
	hash, _ := media.ParseHash(strings.Repeat("ab", 32))
	data := extra{Files: []file{{ID: 7, Hash: hash, Name: "a.png", Size: 1, Type: "image/png", Width: 2, Height: 3}}}.data()
	want := `{"files":[{"id":"7","hash":"` + strings.Repeat("ab", 32) + `","name":"a.png","size":1,"type":"image/png","width":2,"height":3}]}`
	if string(data) != want {
		t.Errorf("it is %s, want %s", data, want)
	}
	if _, err := os.Stat("media"); err == nil {
		t.Error("a test left a folder")
	}
}
