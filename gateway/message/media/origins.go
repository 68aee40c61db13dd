package media

import (
	"net/http"
	"slices"
)

// share sets the headers of CORS. An answer that depends on the origin says so, or a CDN would give one
// page's to another.
func (h *handler) share(header http.Header, r *http.Request) {
	if len(h.o.Origins) == 0 {
		return
	}
	origin := r.Header.Get("Origin")
	switch {
	case h.open():
		header.Set("Access-Control-Allow-Origin", "*")
	default:
		header.Add("Vary", "Origin")
		if !slices.Contains(h.o.Origins, origin) {
			return
		}
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	if r.Method == http.MethodOptions {
		header.Set("Access-Control-Allow-Methods", methods)
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Range")
		header.Set("Access-Control-Max-Age", "86400")
		return
	}
	header.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag, Location, Retry-After")
}

// open reports whether pages of any origin may do what those of our own may.
func (h *handler) open() bool { return slices.Equal(h.o.Origins, []string{"*"}) }

// mayCome reports whether a browser does not send the request from a page that has nothing to do here,
// with the cookies of somebody who knows nothing of it.
func (h *handler) mayCome(r *http.Request) bool {
	return h.open() || h.foreign.Check(r) == nil
}
