package media

import (
	"errors"
	"net/http"
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
	http.ServeContent(w, r, "", time.Time{}, f)
}

// failed answers for a store, and says so in the log unless the client has gone.
func (h *handler) failed(w http.ResponseWriter, r *http.Request, what string, err error) {
	if r.Context().Err() == nil {
		h.o.Logger.Error("media: "+what+" failed", "err", err)
	}
	refuse(w, http.StatusInternalServerError, "")
}
