package server

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed page
var page embed.FS

// Handler serves the page, the gateway, Discord's HTTP API, and what people have
// uploaded.
func (s *Server) Handler() http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", headers(http.FileServerFS(files)))
	mux.HandleFunc("GET /healthz", s.gw.ServeHealth)
	if s.media != nil {
		files := s.serveMedia()
		mux.Handle("GET "+mediaPath+"/", files)
		mux.Handle("POST "+mediaPath+"/", files)
	}
	api := s.api()
	return s.gw.Under("/gateway", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/") {
			api.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

// policy lets the page load from here alone.
const policy = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache") // the files have no version in their names
		next.ServeHTTP(w, r)
	})
}
