package media

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// unread fails the test when it is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// What can be refused without its body is refused so.
func TestRefusedUnread(t *testing.T) {
	no := func(*http.Request) error { return errors.New("a secret") }
	tests := []struct {
		name    string
		o       HandlerOptions
		request func(r *http.Request)
		want    int
	}{
		{"nobody may", HandlerOptions{}, nil, 403},
		{"this one may not", HandlerOptions{Authorize: no}, nil, 403},
		{"announced as too large", HandlerOptions{Authorize: everybody, MaxSize: 10}, func(r *http.Request) { r.ContentLength = 11 }, 413},
		{"a form", HandlerOptions{Authorize: everybody}, func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }, 415},
		{"encoded", HandlerOptions{Authorize: everybody}, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, 415},
		{"of a foreign page", HandlerOptions{Authorize: everybody}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", unread{t})
			if tt.request != nil {
				tt.request(r)
			}
			w := httptest.NewRecorder()
			Handler(failing{}, tt.o).ServeHTTP(w, r)
			if w.Code != tt.want || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%d %s, want %d", w.Code, w.Body, tt.want)
			}
		})
	}
}

func TestUploadTypes(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	program := "MZ\x90\x00\x03\x00\x00\x00" + pngHead
	tests := []struct {
		name, body, claimed string
		want                int
		ending              string // of the address
	}{
		{"a picture", pngHead, "image/png", 201, ".png"},
		{"a picture that claims to be HTML", pngHead, "text/html", 201, ".png"},
		{"HTML that claims to be a picture", "<html><script>alert(1)</script>", "image/png", 415, ""},
		{"SVG with a declaration, as a picture", `<?xml version="1.0"?>` + svg, "image/png", 415, ""},
		{"SVG is text", svg, "image/svg+xml", 201, ".txt"},
		{"a program", program, "image/png", 415, ""},
		{"an archive", "PK\x03\x04" + pngHead, "image/png", 415, ""},
		{"nothing", "", "image/png", 400, ""},
		// Polyglots are what their first bytes say, and run nowhere.
		{"GIF and JavaScript", "GIF89a/*" + strings.Repeat("\x00", 20) + "*/=1;alert(1)//", "text/javascript", 201, ".gif"},
		{"PNG and HTML", pngHead + "<html><script>alert(1)</script>", "text/html", 201, ".png"},
		{"JPEG and PDF", jpegHead + pdfHead, "application/pdf", 201, ".jpg"},
		{"PDF and HTML", pdfHead + "<script>alert(1)</script>", "text/html", 201, ".pdf"},
		{"MP3 and HTML", "\xff\xfb\x90\x64<html><script>alert(1)</script>", "text/html", 201, ".mp3"},
		{"text and HTML", "x<html><script>alert(1)</script>", "text/html", 201, ".txt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(files(t, s.store))
			answer, text := s.ask("POST", "/media/?name=evil.html", strings.NewReader(tt.body), "Content-Type", tt.claimed)
			status(t, answer, tt.want)
			header(t, answer, "X-Content-Type-Options", "nosniff")
			if tt.want != 201 {
				if n := len(files(t, s.store)); n != before {
					t.Error("it was kept")
				}
				return
			}
			address := answer.Header.Get("Location")
			if !strings.HasSuffix(address, "/evil"+tt.ending) {
				t.Error(text)
			}
			answer, _ = s.ask("GET", address, nil)
			status(t, answer, 200)
			header(t, answer, "X-Content-Type-Options", "nosniff")
			if typ := answer.Header.Get("Content-Type"); strings.Contains(typ, "html") || strings.Contains(typ, "script") || strings.Contains(typ, "xml") {
				t.Errorf("it is served as %s", typ)
			}
			if (answer.Header.Get("Content-Disposition") == "inline") != strings.Contains(".png.gif.jpg.mp3", tt.ending) {
				t.Errorf("%s is served %s", tt.ending, answer.Header.Get("Content-Disposition"))
			}
		})
	}
	t.Run("other types", func(t *testing.T) {
		s := newSite(t, HandlerOptions{Authorize: everybody, Types: []string{"application/zip"}})
		answer, _ := s.ask("POST", "/media/", strings.NewReader("PK\x03\x04"))
		status(t, answer, 201)
		answer, _ = s.ask("POST", "/media/", strings.NewReader(pngHead))
		status(t, answer, 415)
	})
}

func TestUploadSize(t *testing.T) {
	for _, size := range []int64{10, 1000, 100_000} { // below and above what is looked at
		s := newSite(t, HandlerOptions{Authorize: everybody, MaxSize: size})
		fits := strings.Repeat("a", int(size))
		for _, tt := range []struct {
			name string
			body io.Reader
			want int
		}{
			{"too large", strings.NewReader(fits + "a"), 413},
			{"too large, unannounced", io.MultiReader(strings.NewReader(fits + "a")), 413},
		} {
			answer, text := s.ask("POST", "/media/", tt.body)
			if answer.StatusCode != tt.want || len(files(t, s.store)) != 0 || temps(t, s.store) != 0 {
				t.Errorf("%s than %d: %s, %q is kept", tt.name, size, text, files(t, s.store))
			}
		}
		w := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(w, httptest.NewRequest("POST", "/media/", &endless{left: 1 << 20}))
		status(t, w.Result(), 413)
		for range 2 { // unannounced too
			s.upload(fits, "a.txt")
			answer, _ := s.ask("POST", "/media/", io.MultiReader(strings.NewReader(fits)))
			status(t, answer, 201)
		}
	}
	s := newSite(t, HandlerOptions{Authorize: everybody, MaxSize: -1})
	s.store.maxSize = 1000
	answer, _ := s.ask("POST", "/media/", strings.NewReader(strings.Repeat("a", 1001)))
	status(t, answer, 413) // the store's own limit
}

// endless gives bytes, until the test fails because so many are read.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left -= len(p); e.left < 0 {
		panic("far more is read than is taken")
	}
	return zeros{}.Read(p)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// A client that goes away in the midst of an upload leaves nothing.
func TestClientGoesAway(t *testing.T) {
	tests := []struct{ name, request string }{
		{"in the first bytes", "Content-Length: 100000\r\n\r\nhello"},
		{"later", "Content-Length: 100000\r\n\r\n" + strings.Repeat("hello", 1000)},
		{"in a chunk", "Transfer-Encoding: chunked\r\n\r\n1388\r\n" + strings.Repeat("hello", 900)},
		{"between chunks", "Transfer-Encoding: chunked\r\n\r\n1388\r\n" + strings.Repeat("hello", 1000) + "\r\n"},
		{"a broken chunk", "Transfer-Encoding: chunked\r\n\r\n1388\r\n" + strings.Repeat("hello", 1000) + "\r\nnonsense\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, HandlerOptions{Authorize: everybody})
			ended := make(chan struct{})
			inner := s.Config.Handler
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(ended)
				inner.ServeHTTP(w, r)
			})
			conn, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "POST /media/ HTTP/1.1\r\nHost: x\r\n"+tt.request); err != nil {
				t.Fatal(err)
			}
			conn.(*net.TCPConn).CloseWrite()
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			status(t, answer, 400)
			conn.Close()
			<-ended
			if left, n := files(t, s.store), temps(t, s.store); len(left) != 0 || n != 0 {
				t.Errorf("left: %q and %d temporary folders", left, n)
			}
			if s.log.Len() != 0 {
				t.Errorf("logged: %s", s.log)
			}
		})
	}
}

func TestMaxUploads(t *testing.T) {
	h := Handler(newDisk(t, DiskOptions{}), HandlerOptions{Authorize: everybody, MaxUploads: 2})
	post := func(body io.Reader) *http.Response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/", body))
		return w.Result()
	}
	under, goOn, answers := make(chan bool), make(chan bool), make(chan int)
	for range 2 {
		go func() {
			answers <- post(io.MultiReader(strings.NewReader("hello"), callReader(func() {
				under <- true
				<-goOn
			}))).StatusCode
		}()
		<-under
	}
	answer := post(unread{t})
	status(t, answer, 503)
	header(t, answer, "Retry-After", "5")
	close(goOn)
	for range 2 {
		if code := <-answers; code != 201 {
			t.Errorf("status %d", code)
		}
	}
	for _, body := range []string{"hello", "", "hello"} { // refused ones give their slot back too
		post(strings.NewReader(body))
	}
	status(t, post(strings.NewReader("hello")), 201)
}

func TestUploaded(t *testing.T) {
	var got Object
	var fails error
	s := newSite(t, HandlerOptions{Authorize: everybody, Uploaded: func(r *http.Request, o Object) error {
		if got = o; r.Header.Get("Authorization") == "" {
			return fails
		}
		return nil
	}})
	s.upload("hello", "a.txt")
	if got.Hash.String() != aHash || got.Size != 5 {
		t.Error(got)
	}
	fails = errors.New("no database")
	answer, text := s.ask("POST", "/media/", strings.NewReader("hello"))
	status(t, answer, 500)
	if strings.Contains(text, "database") || !strings.Contains(s.log.String(), "no database") {
		t.Errorf("%s, log %s", text, s.log)
	}
}

// Neither an upload nor what is served is held in memory.
func TestStreams(t *testing.T) {
	s := newSite(t, HandlerOptions{Authorize: everybody})
	const size = 10 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer, _ := s.ask("POST", "/media/?name=a.txt", io.LimitReader(zeros{}, size))
	status(t, answer, 201)
	r, err := s.Client().Get(s.URL + answer.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r.Body)
	r.Body.Close()
	runtime.ReadMemStats(&after)
	if n != size || err != nil {
		t.Fatal(n, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
		t.Errorf("%d bytes were allocated for %d there and back", n, size)
	} else {
		t.Logf("%d bytes were allocated for %d there and back", n, size)
	}
}

// pipes is a listener in memory, whose connections know a bubble's time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	close(p.done)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// deaf hides that deadlines can be set.
type deaf struct{ http.ResponseWriter }

// slowStore needs a minute when all is read, and gives up when the client does.
type slowStore struct{ Store }

func (s slowStore) Put(ctx context.Context, r io.Reader, typ string) (Object, error) {
	o, err := s.Store.Put(ctx, r, typ)
	if err == nil {
		time.Sleep(time.Minute)
		err = ctx.Err()
	}
	return o, err
}

func TestSlowUpload(t *testing.T) {
	const minute = time.Minute
	tests := []struct {
		name     string
		o        HandlerOptions
		deaf     bool
		piece    int
		every    time.Duration
		want     int
		from, to time.Duration // when the answer comes
	}{
		{"nothing comes", HandlerOptions{}, false, 0, 2 * minute, 408, grace, grace},
		{"a byte a second", HandlerOptions{}, false, 1, time.Second, 408, grace, grace + time.Second},
		{"1 KB a second", HandlerOptions{}, false, 1 << 10, time.Second, 408, grace, grace + 2*time.Second},
		{"20 KB a second", HandlerOptions{}, false, 20 << 10, time.Second, 201, minute + 50*time.Second, 2 * minute},
		{"1 KB a second is enough", HandlerOptions{MinRate: 1000}, false, 1 << 10, time.Second, 201, minute + 50*time.Second, 2 * minute},
		{"as slow as it likes", HandlerOptions{MinRate: -1}, false, 100, minute, 201, 50 * minute, 60 * minute},
		{"a byte a second, without deadlines", HandlerOptions{}, true, 1, time.Second, 408, grace, grace + time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := newDisk(t, DiskOptions{})
			synctest.Test(t, func(t *testing.T) {
				tt.o.Authorize = everybody
				h := Handler(slowStore{store}, tt.o)
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tt.deaf {
						w = deaf{w}
					}
					h.ServeHTTP(w, r)
				})}
				ln := pipes{make(chan net.Conn), make(chan struct{})}
				served := make(chan error)
				go func() { served <- server.Serve(ln) }()
				client, conn := net.Pipe()
				ln.conns <- conn
				start := time.Now()
				const pieces = 55
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", max(tt.piece, 1)*pieces)
					for range pieces {
						time.Sleep(tt.every)
						if _, err := io.WriteString(client, strings.Repeat("a", tt.piece)); err != nil {
							return
						}
					}
				}()
				answer, err := http.ReadResponse(bufio.NewReader(client), nil)
				if err != nil {
					t.Fatal(err)
				}
				status(t, answer, tt.want)
				if took := time.Since(start); took < tt.from || took > tt.to {
					t.Errorf("after %v, want %v to %v", took, tt.from, tt.to)
				}
				client.Close()
				server.Shutdown(context.Background())
				<-served
				<-sent
			})
			if n := temps(t, store); n != 0 {
				t.Errorf("%d temporary folders are left", n)
			}
		})
	}
}
