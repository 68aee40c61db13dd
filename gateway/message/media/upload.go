package media

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// upload keeps the body of a request. What can be refused without reading it is refused first.
func (h *handler) upload(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "" && r.URL.Path != "/":
		refuse(w, http.StatusNotFound, "")
		return
	case !h.mayCome(r) || h.o.Authorize(r) != nil:
		refuse(w, http.StatusForbidden, "")
		return
	case r.ContentLength > h.o.MaxSize:
		refuse(w, http.StatusRequestEntityTooLarge, "")
		return
	case r.Header.Get("Content-Encoding") != "", strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/"):
		refuse(w, http.StatusUnsupportedMediaType, "send the file as it is, not as a form and not encoded")
		return
	}
	if h.slots != nil {
		select {
		case h.slots <- struct{}{}:
			defer func() { <-h.slots }()
		default:
			w.Header().Set("Retry-After", "5")
			refuse(w, http.StatusServiceUnavailable, "")
			return
		}
	}
	b := &body{r: &limited{r.Context(), r.Body, h.o.MaxSize}, control: http.NewResponseController(w), start: time.Now(), rate: h.o.MinRate}
	o, err := h.keep(r, b)
	if err != nil {
		h.refuseUpload(w, r, b, err)
		return
	}
	if h.o.Uploaded != nil {
		if err := h.o.Uploaded(r, o); err != nil {
			h.failed(w, r, "Uploaded", err)
			return
		}
	}
	address := h.o.URL + Path(o, r.URL.Query().Get("name"))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", address)
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(struct {
		URL string `json:"url"`
		Object
	}{address, o})
}

var (
	errEmpty   = errors.New("the body is empty")
	errRefused = errors.New("this type is not taken")
	errSlow    = errors.New("too slow")
)

// keep looks at the first bytes, and hands all of them to the store.
func (h *handler) keep(r *http.Request, b *body) (Object, error) {
	head := make([]byte, sniffed)
	n, err := io.ReadFull(b, head)
	switch {
	case n == 0 && err == io.EOF:
		return Object{}, errEmpty
	case err != nil && b.err == nil && n > 0: // less than that, and whole
	case err != nil:
		return Object{}, err
	}
	head = head[:n]
	typ := Sniff(head)
	if !slices.Contains(h.o.Types, essence(typ)) {
		return Object{}, errRefused
	}
	return h.store.Put(r.Context(), io.MultiReader(bytes.NewReader(head), b), typ)
}

// refuseUpload says what was wrong: with the body, if reading it ended with an error, else with the store.
func (h *handler) refuseUpload(w http.ResponseWriter, r *http.Request, b *body, err error) {
	switch {
	case errors.Is(err, ErrTooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "")
	case errors.Is(err, errRefused):
		refuse(w, http.StatusUnsupportedMediaType, "this type is not taken")
	case errors.Is(b.err, errSlow), errors.Is(b.err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusRequestTimeout, "")
	case errors.Is(err, errEmpty), b.err != nil:
		refuse(w, http.StatusBadRequest, "")
	default:
		h.failed(w, r, "upload", err)
	}
}

// body is what a client sends, as fast as it must.
type body struct {
	r       io.Reader
	control *http.ResponseController
	start   time.Time
	rate    int64 // bytes a second
	n       int64 // that came
	err     error // which ended it, but not io.EOF
}

// Read moves the deadline on with what has come: whoever stalls is met by it, and whoever trickles too.
func (b *body) Read(p []byte) (int, error) {
	due := b.due()
	b.control.SetReadDeadline(due) // if it cannot, the clock below is looked at
	n, err := b.r.Read(p)
	b.n += int64(n)
	if err == io.EOF { // of the deadline, net/http takes care
		return n, err
	}
	if err == nil && !due.IsZero() && time.Now().After(due) {
		err = errSlow
	}
	b.err = err
	return n, err
}

// due is when the next bytes must have come; zero: whenever.
func (b *body) due() time.Time {
	if b.rate == math.MaxInt64 {
		return time.Time{}
	}
	seconds := float64(b.n) / float64(b.rate)
	return b.start.Add(grace + time.Duration(seconds*float64(time.Second)))
}
