package main

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"strconv"
)

//go:embed page.html
var page []byte

// policy lets the page load nothing from elsewhere.
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// handler is the page, what its buttons do, and in front of the nodes the proxy.
func (c *cluster) handler() http.Handler {
	mux := http.NewServeMux()
	proxy := c.proxy()
	mux.Handle("/gateway", proxy)
	mux.Handle("/gateway/", proxy)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		w.Write(page)
	})
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(c.view())
	})
	mux.HandleFunc("POST /nodes", c.button(func(int) error { _, err := c.add(); return err }))
	mux.HandleFunc("POST /nodes/{id}/drain", c.button(c.drain))
	mux.HandleFunc("POST /nodes/{id}/kill", c.button(c.kill))
	mux.HandleFunc("POST /nodes/{id}/cut", c.button(func(id int) error { return c.cut(id, true) }))
	mux.HandleFunc("POST /nodes/{id}/mend", c.button(func(id int) error { return c.cut(id, false) }))
	mux.HandleFunc("POST /roll", c.button(func(int) error { return c.roll() }))
	mux.HandleFunc("POST /broker/kill", c.button(func(int) error { c.killBroker(); return nil }))
	mux.HandleFunc("POST /broker/start", c.button(func(int) error { return c.restartBroker() }))
	return http.NewCrossOriginProtection().Handler(mux)
}

// button does what a button asks for, and answers when that is done.
func (c *cluster) button(do func(id int) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		if err := do(id); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
		}
	}
}
