package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message/media"
)

// What people upload is kept by package media in a folder, and served below
// /media at addresses that never change their content. Nothing is deleted from
// there: the same bytes may be in messages of many.

// maxUpload is how many bytes a file may have; the page knows it, too.
const maxUpload = 25 << 20

// uploadRate is how many files one user may upload.
var uploadRate = gateway.Rate{Burst: 30, Per: time.Minute}

func (s *Server) openMedia() error {
	if s.opts.Media == "" {
		return nil
	}
	disk, err := media.NewDisk(s.opts.Media, media.DiskOptions{MaxSize: maxUpload})
	if err != nil {
		return err
	}
	s.media = disk
	return nil
}

// mediaPath is where files are.
const mediaPath = "/media"

// serveMedia answers with files, and takes those of who is signed in.
func (s *Server) serveMedia() http.Handler {
	files := http.StripPrefix(mediaPath, media.Handler(s.media, media.HandlerOptions{
		URL:       s.opts.URL + mediaPath,
		Authorize: func(*http.Request) error { return nil }, // mayUpload has been asked
		MaxSize:   maxUpload,
	}))
	upload := s.gated(func(w http.ResponseWriter, r *http.Request) {
		me, err := s.signInByHeader(r)
		if err == nil {
			err = s.mayUpload(r.Context(), me.id)
		}
		if err != nil {
			answer(w, r, nil, err)
			return
		}
		files.ServeHTTP(w, r)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			upload(w, r)
			return
		}
		files.ServeHTTP(w, r)
	})
}

// mayUpload counts a file, and refuses one too many.
func (s *Server) mayUpload(ctx context.Context, me id) error {
	wait, err := s.limiter.Take(ctx, "upload:"+me.String(), uploadRate, 1)
	if err == nil && wait > 0 {
		err = &limited{wait}
	}
	return err
}

// keep is media.Handler's upload for a file in a form: its first bytes say what it is.
func (s *Server) keep(ctx context.Context, from io.Reader) (media.Object, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(from, head)
	switch {
	case err == io.EOF:
		return media.Object{}, emptyFile
	case err != nil && err != io.ErrUnexpectedEOF:
		return media.Object{}, badBody(err)
	}
	typ := media.Sniff(head[:n])
	if essence, _, _ := mime.ParseMediaType(typ); !slices.Contains(media.Types(), essence) {
		return media.Object{}, wrongType
	}
	body := &failing{r: from}
	o, err := s.media.Put(ctx, io.MultiReader(bytes.NewReader(head[:n]), body), typ)
	switch {
	case errors.Is(err, media.ErrTooLarge):
		return o, tooLarge
	case err != nil && body.err != nil:
		return o, badBody(body.err)
	}
	return o, err
}

// failing remembers why a reader ended, unless that was its end.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}
