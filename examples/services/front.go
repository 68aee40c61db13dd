package main

import (
	_ "embed"
	"errors"
	"net/http"
	"net/http/httputil"
)

//go:embed page.html
var page []byte

// policy lets the page load nothing from elsewhere.
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// front is the page, and the one address that clients know: what your load balancer would be.
func (a *all) front() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		w.Write(page)
	})
	mux.Handle("/gateway", a.to("gateway"))
	mux.Handle("/gateway/", a.to("gateway"))
	mux.Handle("GET /history", a.to("messages"))
	mux.Handle("GET /online", a.to("presence"))
	mux.Handle("GET /inbox/{name}", a.to("notifications"))
	return mux
}

var errAway = errors.New("the service is away")

// to is the way to a service, wherever it listens by now.
func (a *all) to(name string) http.Handler {
	p := a.processes[name]
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded()
			r.Out.URL.Scheme, r.Out.URL.Host = "http", p.at()
		},
		Transport: way{},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
}

// way is http.DefaultTransport, for services that may be away.
type way struct{}

func (way) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "" {
		return nil, errAway
	}
	return http.DefaultTransport.RoundTrip(r)
}
