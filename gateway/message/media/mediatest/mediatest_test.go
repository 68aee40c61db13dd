package mediatest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message/media"
)

func TestDisk(t *testing.T) {
	Run(t, func(t testing.TB, maxSize int64) media.Store { return disk(t, maxSize) })
}

func disk(t testing.TB, maxSize int64) *media.Disk {
	d, err := media.NewDisk(t.TempDir(), media.DiskOptions{MaxSize: maxSize})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// broken is a store in which one sentence of the contract does not hold.
type broken struct {
	*media.Disk
	put    func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error)
	open   func(d *media.Disk, ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error)
	delete func(d *media.Disk, ctx context.Context, h media.Hash) error
}

func (b *broken) Put(ctx context.Context, r io.Reader, typ string) (media.Object, error) {
	if b.put != nil {
		return b.put(b.Disk, ctx, r, typ)
	}
	return b.Disk.Put(ctx, r, typ)
}

func (b *broken) Open(ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
	if b.open != nil {
		return b.open(b.Disk, ctx, h)
	}
	return b.Disk.Open(ctx, h)
}

func (b *broken) Delete(ctx context.Context, h media.Hash) error {
	if b.delete != nil {
		return b.delete(b.Disk, ctx, h)
	}
	return b.Disk.Delete(ctx, h)
}

// reader is a reader with some of its methods replaced.
type reader struct {
	io.ReadSeekCloser
	read func(p []byte) (int, error)
	seek func(offset int64, whence int) (int64, error)
}

func (r reader) Read(p []byte) (int, error) {
	if r.read != nil {
		return r.read(p)
	}
	return r.ReadSeekCloser.Read(p)
}

func (r reader) Seek(offset int64, whence int) (int64, error) {
	if r.seek != nil {
		return r.seek(offset, whence)
	}
	return r.ReadSeekCloser.Seek(offset, whence)
}

// kept keeps what was read before an error, as a store does that writes in place.
func kept(d *media.Disk, ctx context.Context, r io.Reader, typ string, unless error) (media.Object, error) {
	var read bytes.Buffer
	o, err := d.Put(ctx, io.TeeReader(r, &read), typ)
	if err != nil && !errors.Is(err, unless) {
		d.Put(context.WithoutCancel(ctx), &read, png)
	}
	return o, err
}

// TestEachCaseCatches: for every case there is a broken store that it refuses.
func TestEachCaseCatches(t *testing.T) {
	live := context.WithoutCancel
	var shared io.ReadSeekCloser
	defer func() { shared.Close() }()
	firsts := map[media.Hash]bool{}
	isDeleted := false
	tests := map[string]broken{
		"PutObject": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			o, err := d.Put(ctx, r, typ)
			o.Size++
			return o, err
		}},
		"PutKeeps": {open: func(d *media.Disk, ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
			r, o, err := d.Open(ctx, h)
			return reader{ReadSeekCloser: r, read: io.LimitReader(r, 200<<10).Read}, o, err
		}},
		"PutReadsPieces": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			buf := make([]byte, maxSize)
			n, err := r.Read(buf) // one Read is not all
			if err == io.EOF {
				err = nil
			}
			if err != nil {
				return media.Object{}, err
			}
			return d.Put(ctx, bytes.NewReader(buf[:n]), typ)
		}},
		"PutWhole": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			data, err := io.ReadAll(r)
			if err != nil {
				return media.Object{}, err
			}
			if _, err := d.Put(ctx, bytes.NewReader(data), typ); err != nil {
				return media.Object{}, err
			}
			r.Read(nil) // kept, and still at it
			return d.Put(ctx, bytes.NewReader(data), typ)
		}},
		"PutTwice": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			o, err := d.Put(ctx, r, typ)
			o.Type = typ
			return o, err
		}},
		"PutAtATime": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			o, err := d.Put(ctx, r, typ)
			if o.Type != typ {
				return o, errors.New("it exists")
			}
			return o, err
		}},
		"PutTooLarge": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			return d.Put(ctx, io.LimitReader(r, maxSize), typ)
		}},
		"PutEndless": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			data, err := io.ReadAll(r)
			if err != nil {
				return media.Object{}, err
			}
			return d.Put(ctx, bytes.NewReader(data), typ)
		}},
		"PutBrokenReader": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			return kept(d, ctx, r, typ, context.Canceled)
		}},
		"PutType": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			if media.CheckType(typ) != nil {
				typ = "application/octet-stream"
			}
			return d.Put(ctx, r, typ)
		}},
		"PutContext": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			if ctx.Err() == nil { // looked at once
				ctx = live(ctx)
			}
			return d.Put(ctx, r, typ)
		}},
		"OpenUnknown": {open: func(d *media.Disk, ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
			r, o, err := d.Open(ctx, h)
			if errors.Is(err, media.ErrNotFound) {
				err = errors.New("no such file")
			}
			return r, o, err
		}},
		"OpenSeeks": {open: func(d *media.Disk, ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
			r, o, err := d.Open(ctx, h)
			return reader{ReadSeekCloser: r, seek: func(int64, int) (int64, error) { return 0, errors.New("not seekable") }}, o, err
		}},
		"OpenOwnPlace": {open: func(d *media.Disk, ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
			r, o, err := d.Open(ctx, h)
			if err != nil {
				return nil, o, err
			}
			if shared == nil {
				shared = r
			} else {
				r.Close()
			}
			return struct {
				io.ReadSeeker
				io.Closer
			}{shared, io.NopCloser(nil)}, o, nil
		}},
		"OpenDeleted": {
			open: func(d *media.Disk, ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
				r, o, err := d.Open(ctx, h)
				return reader{ReadSeekCloser: r, read: func(p []byte) (int, error) {
					if isDeleted {
						return 0, io.EOF // cut short, as if that were its end
					}
					return r.Read(p)
				}}, o, err
			},
			delete: func(d *media.Disk, ctx context.Context, h media.Hash) error {
				isDeleted = true
				return d.Delete(ctx, h)
			},
		},
		"Delete": {delete: func(*media.Disk, context.Context, media.Hash) error { return nil }},
		"DeleteUnknown": {delete: func(d *media.Disk, ctx context.Context, h media.Hash) error {
			r, _, err := d.Open(ctx, h)
			if err != nil {
				return err
			}
			r.Close()
			return d.Delete(ctx, h)
		}},
		"DeleteThenPut": {put: func(d *media.Disk, ctx context.Context, r io.Reader, typ string) (media.Object, error) {
			data, err := io.ReadAll(r)
			if err != nil {
				return media.Object{}, err
			}
			if h := media.Hash(sha256.Sum256(data)); firsts[h] {
				typ = png // remembered of what is gone
			} else {
				firsts[h] = true
			}
			return d.Put(ctx, bytes.NewReader(data), typ)
		}},
		"Context": {
			open: func(d *media.Disk, ctx context.Context, h media.Hash) (io.ReadSeekCloser, media.Object, error) {
				return d.Open(live(ctx), h)
			},
		},
	}
	for _, c := range cases {
		b, ok := tests[c.name]
		if !ok {
			t.Errorf("no broken store for %s", c.name)
			continue
		}
		b.Disk = disk(t, maxSize)
		err := c.run(t.Context(), &b)
		if err == nil {
			t.Errorf("%s does not catch its broken store", c.name)
		}
		t.Logf("%s: %v", c.name, err)
	}
}
