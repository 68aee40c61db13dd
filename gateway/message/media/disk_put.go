package media

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
)

// Put is as Store says.
func (d *Disk) Put(ctx context.Context, r io.Reader, typ string) (Object, error) {
	if err := CheckType(typ); err != nil {
		return Object{}, err
	}
	d.sweepAtTimes()
	o, err := d.put(&limited{ctx, r, d.maxSize}, typ)
	switch {
	case errors.Is(err, ErrTooLarge):
		return Object{}, ErrTooLarge
	case err != nil:
		return Object{}, fmt.Errorf("media: keep an object: %w", err)
	}
	return o, nil
}

func (d *Disk) put(r io.Reader, typ string) (Object, error) {
	temp, err := os.MkdirTemp(d.temp(), "")
	if err != nil {
		return Object{}, err
	}
	defer os.RemoveAll(temp) // of no effect once it is renamed
	o, err := write(filepath.Join(temp, url.PathEscape(typ)), r)
	if err != nil {
		return Object{}, err
	}
	o.Type = typ
	if err := syncFolder(temp); err != nil {
		return Object{}, err
	}
	return d.place(temp, o)
}

// write makes a file of what r gives, and has it on the disk.
func write(name string, r io.Reader) (o Object, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	o.Size, err = io.Copy(io.MultiWriter(f, sum), r)
	if err != nil {
		return o, err
	}
	sum.Sum(o.Hash[:0])
	return o, f.Sync()
}

// place moves a folder to where its object belongs, unless it is there already, and returns the
// object that is there. All levels are synchronised in either case: another, who was first, may
// not have come to that yet.
func (d *Disk) place(temp string, o Object) (Object, error) {
	home := d.home(o.Hash)
	second := filepath.Dir(home)
	first := filepath.Dir(second)
	if err := os.MkdirAll(second, 0o700); err != nil {
		return Object{}, err
	}
	if err := os.Rename(temp, home); err != nil {
		f, there, openErr := d.open(o.Hash)
		if openErr == nil {
			f.Close()
			o = there
		} else {
			os.Remove(home) // an empty folder, or one that has just been deleted
			if err := os.Rename(temp, home); err != nil {
				return Object{}, err
			}
		}
	}
	return o, errors.Join(syncFolder(second), syncFolder(first), syncFolder(d.dir))
}
