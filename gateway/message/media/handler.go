package media

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// HandlerOptions say what a Handler does. With the zero value it serves, and nobody may upload.
// Handler copies them.
type HandlerOptions struct {
	// URL is what clients put in front of /HASH/NAME: the handler's own path, or the address of the CDN
	// that asks it. Empty: nothing.
	URL string

	// Authorize says whether a request may upload, before anything of its body is read; the
	// client hears 403 of an error, and not its text. It is the place to count what somebody
	// uploads. Nil: nobody may.
	Authorize func(r *http.Request) error

	// Uploaded, if set, is told of each upload that was kept, before its client is: who uploaded
	// what is for the application to remember. An error is logged and answered with 500; the
	// object stays.
	Uploaded func(r *http.Request, o Object) error

	// Types are those that are taken, as Sniff names them, without parameters. Nil: Types().
	Types []string

	// MaxSize is the most bytes of an upload; 0: 25 MiB, negative: as many as the store takes.
	MaxSize int64

	// MaxUploads is how many may be under way; one more is told to come back. 0: 32, negative:
	// no limit.
	MaxUploads int

	// MinRate is how many bytes a second an upload must have brought, on average, from its tenth
	// second on; a slower one is cut off. 0: 16 KiB, negative: no limit. It needs a ResponseWriter whose
	// http.ResponseController can set a read deadline, as that of net/http can: with another,
	// only a client that still sends something is cut off.
	MinRate int64

	// Origins are those, such as https://app.example.com, whose pages may upload and read answers by
	// script, with their cookies; "*", alone, is any page, without cookies. Nil: only pages of
	// the handler's own origin. Showing a picture needs none.
	Origins []string

	// ResourcePolicy is the Cross-Origin-Resource-Policy: whose pages may show objects. Empty:
	// same-site. A CDN of another domain than the pages needs cross-origin.
	ResourcePolicy string

	// Logger is told of errors of the store and of Uploaded. Nil: slog.Default().
	Logger *slog.Logger
}

// grace is the time that an upload has before MinRate is asked for.
const grace = 10 * time.Second

// handler is immutable but for its slots.
type handler struct {
	store   Store
	o       HandlerOptions
	slots   chan struct{} // nil: no limit; one is in it for each upload
	foreign *http.CrossOriginProtection
}

// Handler serves the objects of a store, and takes uploads into it:
//
//   - GET and HEAD of /HASH/NAME, as in an address that was given out: the object, or a part of it (Range), or 304
//     (If-None-Match), with headers that let everybody keep it for ever.
//   - POST of / with ?name=NAME: the body, as it is and not as a form, is kept as an object. 201 with
//     {"url", "hash", "size", "type"}; else 400 for an empty or broken body, 403 for who may not, 408 when it
//     is slower than MinRate, 413 for too much, 415 for a type that is not taken or a body that is encoded,
//     503 with Retry-After when MaxUploads are under way.
//
// Mount it behind http.StripPrefix. Whoever has cookies need not fear it: uploads that a browser sends from
// another origin are refused, but from those in Origins. It panics on an origin that is none.
func Handler(store Store, o HandlerOptions) http.Handler {
	if store == nil {
		panic("media: Handler without a store")
	}
	h := &handler{store: store, o: o, foreign: http.NewCrossOriginProtection()}
	if h.o.Authorize == nil {
		h.o.Authorize = func(*http.Request) error { return errors.New("nobody may upload") }
	}
	if h.o.Types == nil {
		h.o.Types = Types()
	}
	h.o.URL = strings.TrimSuffix(o.URL, "/")
	h.o.Types = slices.Clone(h.o.Types)
	h.o.Origins = slices.Clone(h.o.Origins)
	h.o.MaxSize = limit(o.MaxSize, 25<<20)
	h.o.MinRate = limit(o.MinRate, 16<<10)
	if n := limit(int64(o.MaxUploads), 32); n < math.MaxInt64 {
		h.slots = make(chan struct{}, n)
	}
	if h.o.ResourcePolicy == "" {
		h.o.ResourcePolicy = "same-site"
	}
	if h.o.Logger == nil {
		h.o.Logger = slog.Default()
	}
	for _, origin := range h.o.Origins {
		if origin == "*" && len(o.Origins) == 1 {
			continue
		}
		if err := h.foreign.AddTrustedOrigin(origin); err != nil {
			panic("media: " + err.Error())
		}
	}
	return h
}

// limit is a default for 0, and none for what is negative.
func limit(n, byDefault int64) int64 {
	switch {
	case n == 0:
		return byDefault
	case n < 0:
		return math.MaxInt64
	}
	return n
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	// Whatever it is, it runs nothing and loads nothing but itself, which is how browsers show a film.
	header.Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox")
	header.Set("Cross-Origin-Resource-Policy", h.o.ResourcePolicy)
	h.share(header, r)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.serve(w, r)
	case http.MethodPost:
		h.upload(w, r)
	case http.MethodOptions:
		header.Set("Allow", methods)
		w.WriteHeader(http.StatusNoContent)
	default:
		header.Set("Allow", methods)
		refuse(w, http.StatusMethodNotAllowed, "")
	}
}

const methods = "GET, HEAD, POST, OPTIONS"

// refuse answers with an error that nobody keeps. Empty: the status' own text.
func refuse(w http.ResponseWriter, status int, text string) {
	if text == "" {
		text = http.StatusText(status)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}
