package media

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// everybody may upload.
func everybody(*http.Request) error { return nil }

// site is a handler mounted at /media, over a disk.
type site struct {
	*httptest.Server
	t     testing.TB
	store *Disk
	log   *bytes.Buffer
}

func newSite(t testing.TB, o HandlerOptions) *site {
	t.Helper()
	s := &site{t: t, store: newDisk(t, DiskOptions{}), log: new(bytes.Buffer)}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	}
	o.URL = "/media/"
	mux := http.NewServeMux()
	mux.Handle("/media/", http.StripPrefix("/media", Handler(s.store, o)))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// ask sends a request with headers, name and value in turn, and returns the answer with its body.
func (s *site) ask(method, address string, body io.Reader, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+address, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(text)
}

// upload uploads and returns the address.
func (s *site) upload(data, name string) string {
	s.t.Helper()
	answer, text := s.ask("POST", "/media/?name="+url.QueryEscape(name), strings.NewReader(data))
	var got struct{ URL string }
	if err := json.Unmarshal([]byte(text), &got); answer.StatusCode != 201 || err != nil || answer.Header.Get("Location") != got.URL {
		s.t.Fatalf("%s: %s, %v", answer.Status, text, err)
	}
	return got.URL
}

func status(t testing.TB, answer *http.Response, want int) {
	t.Helper()
	if answer.StatusCode != want {
		t.Errorf("status %d, want %d", answer.StatusCode, want)
	}
}

func header(t testing.TB, answer *http.Response, name, want string) {
	t.Helper()
	if got := answer.Header.Get(name); got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

func TestUploadAndServe(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	answer, text := s.ask("POST", "/media/?name=greeting.doc", strings.NewReader("hello"), "Content-Type", "text/html")
	status(t, answer, 201)
	header(t, answer, "Content-Type", "application/json")
	header(t, answer, "Cache-Control", "no-store")
	const want = `{"url":"/media/` + aHash + `/greeting.txt","hash":"` + aHash + `","size":5,"type":"text/plain; charset=utf-8"}`
	if strings.TrimSpace(text) != want {
		t.Errorf("got %s", text)
	}
	for _, method := range []string{"GET", "HEAD"} {
		answer, text = s.ask(method, "/media/"+aHash+"/greeting.txt", nil)
		status(t, answer, 200)
		if want := strings.Repeat("hello", len(method)%2); text != want { // HEAD: none
			t.Errorf("%s: %q", method, text)
		}
		for name, want := range map[string]string{
			"Content-Type":                 "text/plain; charset=utf-8",
			"Content-Length":               "5",
			"Content-Disposition":          "attachment",
			"ETag":                         `"` + aHash + `"`,
			"Cache-Control":                "public, max-age=31536000, immutable",
			"Accept-Ranges":                "bytes",
			"X-Content-Type-Options":       "nosniff",
			"Content-Security-Policy":      "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox",
			"Cross-Origin-Resource-Policy": "same-site",
			"Last-Modified":                "",
			"Set-Cookie":                   "",
			"Vary":                         "",
			"Access-Control-Allow-Origin":  "",
		} {
			header(t, answer, name, want)
		}
	}
}

// An answer depends on the hash alone: a CDN may leave out the rest.
func TestSameAnswer(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	first, text := s.ask("GET", s.upload(pngHead, "cat.png"), nil)
	for _, address := range []string{s.upload(pngHead, "dog.jpg"), s.upload(pngHead, "dog")} {
		other, same := s.ask("GET", address+"?a=b", nil, "Cookie", "a=b", "Accept-Encoding", "gzip")
		first.Header.Del("Date")
		other.Header.Del("Date")
		if text != same || len(first.Header) != len(other.Header) {
			t.Errorf("%q and %q", text, same)
		}
		for name := range first.Header {
			header(t, other, name, first.Header.Get(name))
		}
	}
	if n := len(files(t, s.store)); n != 1 {
		t.Errorf("%d files of one content", n)
	}
}

func TestConditional(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	address := s.upload("hello", "a.txt")
	const tag = `"` + aHash + `"`
	tests := []struct {
		name, header, value string
		want                int
	}{
		{"the same", "If-None-Match", tag, 304},
		{"weakened by a proxy", "If-None-Match", "W/" + tag, 304},
		{"in a list", "If-None-Match", `"x", ` + tag, 304},
		{"any", "If-None-Match", "*", 304},
		{"another", "If-None-Match", `"x"`, 200},
		{"without quotes", "If-None-Match", aHash, 200},
		{"since", "If-Modified-Since", "Wed, 01 Jan 2031 00:00:00 GMT", 200},
		{"only if", "If-Match", tag, 200},
		{"only if another", "If-Match", `"x"`, 412},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer, text := s.ask("GET", address, nil, tt.header, tt.value)
			status(t, answer, tt.want)
			if tt.want == 304 {
				header(t, answer, "ETag", tag)
				header(t, answer, "Cache-Control", "public, max-age=31536000, immutable")
			}
			if (text == "hello") != (tt.want == 200) {
				t.Errorf("%q", text)
			}
		})
	}
}

func TestRange(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	address := s.upload("hello", "a.txt")
	tests := []struct {
		name, value, ifRange string
		status               int
		want, contentRange   string
	}{
		{"first", "bytes=0-0", "", 206, "h", "bytes 0-0/5"},
		{"middle", "bytes=1-3", "", 206, "ell", "bytes 1-3/5"},
		{"to the end", "bytes=3-", "", 206, "lo", "bytes 3-4/5"},
		{"beyond the end", "bytes=3-99", "", 206, "lo", "bytes 3-4/5"},
		{"last", "bytes=-1", "", 206, "o", "bytes 4-4/5"},
		{"more than there is, from the end", "bytes=-99", "", 206, "hello", "bytes 0-4/5"},
		{"behind the end", "bytes=5-", "", 416, "", "bytes */5"},
		{"the last 0", "bytes=-0", "", 200, "hello", ""},
		{"the last 0 among others", "bytes=0-0, -00 ", "", 200, "hello", ""},
		{"from 0", "bytes=0-", "", 206, "hello", "bytes 0-4/5"},
		{"backwards", "bytes=3-1", "", 416, "", ""},
		{"another unit", "lines=1-2", "", 416, "", ""},
		{"nonsense", "bytes=a-b", "", 416, "", ""},
		{"too large a number", "bytes=99999999999999999999-", "", 416, "", ""},
		{"of this object", "bytes=0-0", `"` + aHash + `"`, 206, "h", "bytes 0-0/5"},
		{"of another", "bytes=0-0", `"x"`, 200, "hello", ""},
		{"of one weakened", "bytes=0-0", `W/"` + aHash + `"`, 200, "hello", ""},
		{"more than all, in pieces", "bytes=0-,0-,0-,0-", "", 200, "hello", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			headers := []string{"Range", tt.value}
			if tt.ifRange != "" {
				headers = append(headers, "If-Range", tt.ifRange)
			}
			answer, text := s.ask("GET", address, nil, headers...)
			status(t, answer, tt.status)
			header(t, answer, "Content-Range", tt.contentRange)
			header(t, answer, "X-Content-Type-Options", "nosniff")
			if tt.status != 416 && text != tt.want {
				t.Errorf("got %q", text)
			}
			if tt.status == 416 && answer.Header.Get("Cache-Control") != "" {
				t.Error("a mistake may be kept for a year")
			}
		})
	}
	t.Run("two", func(t *testing.T) {
		answer, text := s.ask("GET", address, nil, "Range", "bytes=0-0,4-4")
		status(t, answer, 206)
		if !strings.HasPrefix(answer.Header.Get("Content-Type"), "multipart/byteranges; boundary=") ||
			strings.Count(text, "Content-Type: text/plain; charset=utf-8") != 2 {
			t.Errorf("%v %s", answer.Header, text)
		}
	})
}

// What cannot be an address is not there, and nothing of it comes to the store.
func TestServeNothing(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	address := s.upload("hello", "a.txt")
	other := strings.Replace(address, "2c", "2d", 1)
	for _, tt := range []struct{ name, address string }{
		{"unknown", other},
		{"another ending", strings.Replace(address, ".txt", ".html", 1)},
		{"an ending more", address + ".exe"},
		{"no ending", strings.TrimSuffix(address, ".txt")},
		{"upper case", "/media/" + strings.ToUpper(aHash) + "/a.txt"},
		{"no name", strings.TrimSuffix(address, "a.txt")},
		{"root", "/media/"},
		{"climbs, escaped", "/media/%2e%2e%2f%2e%2e%2fetc/passwd.txt"},
		{"climbs behind", strings.Replace(address, "a.txt", "%2e%2e%2fa.txt", 1)},
		{"its own file", "/media/2c/f2/" + aHash + "/text%252Fplain"},
		{"temporary", "/media/temp/a.txt"},
		{"zero", strings.Replace(address, "a.txt", "a%00.txt", 1)},
		{"new line", strings.Replace(address, "a.txt", "a%0d%0aX:y.txt", 1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer, _ := s.ask("GET", tt.address, nil)
			status(t, answer, 404)
			header(t, answer, "Cache-Control", "no-store")
			header(t, answer, "X", "")
		})
	}
}

// Whatever an application puts into the store: only pictures, films and sounds are shown in place.
func TestServeForeignTypes(t *testing.T) {
	s := newSite(t, HandlerOptions{})
	tests := []struct{ typ, ending, disposition string }{
		{"image/png", ".png", "inline"},
		{"video/mp4", ".mp4", "inline"},
		{"audio/ogg", ".ogg", "inline"},
		{"application/pdf", ".pdf", "attachment"},
		{"text/plain; charset=utf-8", ".txt", "attachment"},
		{"text/html", ".bin", "attachment"},
		{"image/svg+xml", ".bin", "attachment"},
		{"application/xhtml+xml", ".bin", "attachment"},
		{"text/javascript", ".bin", "attachment"},
	}
	for _, tt := range tests {
		t.Run(tt.typ, func(t *testing.T) {
			o, err := s.store.Put(t.Context(), strings.NewReader(svg+tt.typ), tt.typ)
			if err != nil {
				t.Fatal(err)
			}
			address := Path(o, "x")
			if !strings.HasSuffix(address, "/x"+tt.ending) {
				t.Error(address)
			}
			answer, _ := s.ask("GET", "/media"+address, nil)
			status(t, answer, 200)
			header(t, answer, "Content-Type", tt.typ)
			header(t, answer, "Content-Disposition", tt.disposition)
			header(t, answer, "X-Content-Type-Options", "nosniff")
			if !strings.HasSuffix(answer.Header.Get("Content-Security-Policy"), "; sandbox") {
				t.Error("not in a sandbox")
			}
		})
	}
}

// failing is a store that does not work.
type failing struct{ err error }

func (f failing) Put(context.Context, io.Reader, string) (Object, error) { return Object{}, f.err }
func (f failing) Open(context.Context, Hash) (io.ReadSeekCloser, Object, error) {
	return nil, Object{}, f.err
}
func (f failing) Delete(context.Context, Hash) error { return f.err }

func TestStoreFails(t *testing.T) {
	var log bytes.Buffer
	h := Handler(failing{errors.New("disk on fire at /dev/sda")}, HandlerOptions{Authorize: everybody, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/"+aHash+"/a.txt", nil),
		httptest.NewRequest("POST", "/", strings.NewReader("hello")),
	} {
		log.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 500 || strings.Contains(w.Body.String(), "fire") || !strings.Contains(log.String(), "fire") {
			t.Errorf("%s: %d %q, log %q", r.Method, w.Code, w.Body, &log)
		}
		header(t, w.Result(), "Cache-Control", "no-store")
	}
}

func TestMethods(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	for method, want := range map[string]int{"PUT": 405, "DELETE": 405, "PATCH": 405, "OPTIONS": 204} {
		answer, _ := s.ask(method, "/media/"+aHash+"/a.txt", nil)
		status(t, answer, want)
		header(t, answer, "Allow", "GET, HEAD, POST, OPTIONS")
	}
	answer, _ := s.ask("POST", "/media/"+aHash+"/a.txt", strings.NewReader("hello"))
	status(t, answer, 404)
}

func TestHandlerMisused(t *testing.T) {
	for name, make := range map[string]func(){
		"no store":               func() { Handler(nil, HandlerOptions{}) },
		"an origin with a path":  func() { Handler(failing{}, HandlerOptions{Origins: []string{"https://example.com/app"}}) },
		"any origin, and others": func() { Handler(failing{}, HandlerOptions{Origins: []string{"*", "https://example.com"}}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			make()
		})
	}
}
