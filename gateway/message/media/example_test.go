package media_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/gatehouse-go/gatehouse/gateway/message/media"
)

// An application mounts a handler and says who may upload; the rest is HTTP.
func Example() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)

	store, err := media.NewDisk(dir, media.DiskOptions{})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/media/", http.StripPrefix("/media", media.Handler(store, media.HandlerOptions{
		URL: "/media",
		Authorize: func(r *http.Request) error {
			if r.Header.Get("Authorization") != "Bearer ann" {
				return errors.New("who is this")
			}
			return nil
		},
	})))
	server := httptest.NewServer(mux)
	defer server.Close()

	upload, _ := http.NewRequest("POST", server.URL+"/media/?name=notes+of+today.txt", strings.NewReader("hello"))
	upload.Header.Set("Authorization", "Bearer ann")
	answer, err := http.DefaultClient.Do(upload)
	if err != nil {
		panic(err)
	}
	io.Copy(os.Stdout, answer.Body)
	answer.Body.Close()

	object, err := http.Get(server.URL + answer.Header.Get("Location"))
	if err != nil {
		panic(err)
	}
	defer object.Body.Close()
	text, _ := io.ReadAll(object.Body)
	fmt.Println(string(text), object.Header.Get("Cache-Control"))
	// Output:
	// {"url":"/media/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824/notes_of_today.txt","hash":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","size":5,"type":"text/plain; charset=utf-8"}
	// hello public, max-age=31536000, immutable
}

// A message comes with the hash of an upload and a name. The application looks whether there is such an
// object, and makes the address itself.
func ExamplePath() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, _ := media.NewDisk(dir, media.DiskOptions{})
	store.Put(ctx, strings.NewReader("hello"), "text/plain; charset=utf-8")

	hash, err := media.ParseHash("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
	if err != nil {
		panic(err)
	}
	r, o, err := store.Open(ctx, hash)
	if err != nil {
		panic(err) // media.ErrNotFound: it was never uploaded, or deleted
	}
	r.Close()
	fmt.Println(media.Path(o, "../Größe.exe"))
	// Output: /2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824/Gr%C3%B6%C3%9Fe.txt
}

// What a client says of a file is not asked for: its first bytes decide.
func ExampleSniff() {
	fmt.Println(media.Sniff([]byte("\x89PNG\r\n\x1a\n<script>alert(1)</script>")))
	fmt.Println(media.Sniff([]byte("<script>alert(1)</script>")))
	// Output:
	// image/png
	// text/html; charset=utf-8
}
