package media

import (
	"errors"
	"net/http"
	"regexp"
	"time"
)

// serve answers with an object. But for CORS, what it answers depends on the hash alone: no name in a header, no
// date; so a CDN may leave out the rest of an address.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	hash, end, ok := parsePath(r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound, "")
		return
	}
	f, o, err := h.store.Open(r.Context(), hash)
	switch {
	case errors.Is(err, ErrNotFound):
		refuse(w, http.StatusNotFound, "")
		return
	case err != nil:
		h.failed(w, r, "serve", err)
		return
	}
	defer f.Close()
	if end != ending(o.Type) { // invoice.exe
		refuse(w, http.StatusNotFound, "")
		return
	}
	header := w.Header()
	header.Set("Content-Type", o.Type)
	header.Set("ETag", `"`+hash.String()+`"`)
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	if inline(o.Type) {
		header.Set("Content-Disposition", "inline")
	} else {
		header.Set("Content-Disposition", "attachment") // browsers take the name from the address
	}
	if lastNone.MatchString(r.Header.Get("Range")) {
		whole := *r
		whole.Header = r.Header.Clone()
		whole.Header.Del("Range")
		r = &whole
	}
	http.ServeContent(w, r, "", time.Time{}, f)
}

// lastNone is a range of the last 0 bytes, which http.ServeContent answers with one that ends before it
// begins. It may be ignored, as any range may.
var lastNone = regexp.MustCompile(`[=,]\s*-0+\s*(,|$)`)

// failed answers for a store, and says so in the log unless the client has gone.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, what string, err error) {
	if r.Context().Err() == nil {
		h.o.Logger.Error("media: "+what+" failed", "err", err)
	}
	refuse(w, http.StatusInternalServerError, "")
}
