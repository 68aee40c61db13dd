package server

import (
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // their sizes
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/gatehouse-go/gatehouse/gateway/message/media"
)

// maxFiles is how many files a message may have, as on Discord.
const maxFiles = 10

// maxFilename is how many characters of a file's name are looked at: more than are kept.
const maxFilename = 255

// attachment is how a message says what it has with it: a file that has been
// uploaded to /media, by its hash, or that comes in the same form, by its number.
type attachment struct {
	ID       id     `json:"id"` // 2: files[2] of the form
	Filename string `json:"filename"`
	Uploaded string `json:"uploaded_filename"`
}

// upload is a file that is kept, and not yet part of a message.
type upload struct {
	number id // in its form
	name   string
	hash   media.Hash
}

// file is what is kept of one with its message.
type file struct {
	ID     id         `json:"id"`
	Hash   media.Hash `json:"hash"`
	Name   string     `json:"name"` // as in its address
	Size   int64      `json:"size"` // bytes
	Type   string     `json:"type"`
	Width  int        `json:"width,omitempty"` // pixels of a picture; 0: not known
	Height int        `json:"height,omitempty"`
}

// attach returns the files of a message.
func (s *Server) attach(ctx context.Context, in sendMessage) ([]file, error) {
	if len(in.Attachments) == 0 && len(in.uploads) == 0 {
		return nil, nil
	}
	if s.media == nil {
		return nil, textOnly
	}
	uploads, err := named(in)
	if err != nil {
		return nil, err
	}
	if len(uploads) > maxFiles {
		why := fmt.Sprintf("Must be %d or fewer in length.", maxFiles)
		return nil, invalid("attachments", "BASE_TYPE_MAX_LENGTH", why, "TOO_MANY", fmt.Sprintf("A message has at most %d files.", maxFiles))
	}
	files := make([]file, len(uploads))
	for i, u := range uploads {
		if files[i], err = s.look(ctx, u); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// named returns a message's uploads under the names that it gives them.
func named(in sendMessage) ([]upload, error) {
	uploads := slices.Clone(in.uploads)
	for _, a := range in.Attachments {
		if a.Uploaded == "" {
			i := slices.IndexFunc(in.uploads, func(u upload) bool { return u.number == a.ID })
			if i < 0 {
				return nil, noFile
			}
			if a.Filename != "" {
				uploads[i].name = a.Filename
			}
			continue
		}
		hash, err := media.ParseHash(a.Uploaded)
		if err != nil {
			return nil, noFile
		}
		uploads = append(uploads, upload{name: a.Filename, hash: hash})
	}
	return uploads, nil
}

// look makes a file of an upload.
func (s *Server) look(ctx context.Context, u upload) (file, error) {
	r, o, err := s.media.Open(ctx, u.hash)
	if errors.Is(err, media.ErrNotFound) {
		return file{}, noFile
	}
	if err != nil {
		return file{}, err
	}
	defer r.Close()
	i, err := s.ids.Next(0)
	if err != nil {
		return file{}, err
	}
	f := file{ID: id(i), Hash: o.Hash, Name: nameOf(o, u.name), Size: o.Size, Type: o.Type}
	if strings.HasPrefix(o.Type, "image/") {
		f.Width, f.Height = pixels(r)
	}
	return f, nil
}

// nameOf is what a file is called at its address.
func nameOf(o media.Object, name string) string {
	runes := []rune(name)
	last := path.Base(media.Path(o, string(runes[max(0, len(runes)-maxFilename):])))
	name, err := url.PathUnescape(last)
	if err != nil {
		panic("chat: media.Path gives " + last)
	}
	return name
}

// pixels is the size of a picture whose format is known here; 0: it is not.
func pixels(r io.Reader) (width, height int) {
	config, _, err := image.DecodeConfig(io.LimitReader(r, 1<<20))
	if err != nil {
		return 0, 0
	}
	return config.Width, config.Height
}

// attachmentObjects are Discord's. Files are at base.
func attachmentObjects(base string, files []file) []object {
	all := make([]object, len(files))
	for i, f := range files {
		address := base + media.Path(media.Object{Hash: f.Hash, Size: f.Size, Type: f.Type}, f.Name)
		all[i] = object{"id": f.ID, "filename": f.Name, "size": f.Size, "content_type": f.Type, "url": address, "proxy_url": address}
		if f.Width > 0 {
			all[i]["width"], all[i]["height"] = f.Width, f.Height
		}
	}
	return all
}
