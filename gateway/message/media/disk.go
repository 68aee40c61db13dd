package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"
)

// Disk is a Store in a folder of the local disk, the default. Several processes may share the
// folder. It starts no goroutine and needs no closing.
//
// An object is a folder of two levels and its hash, which holds one file of exactly its bytes, named
// after its type: 9f/86/9f86d08…/image%2Fpng. A folder is renamed into its place when all is written
// and synchronised, so bytes and type appear as one, and once.
type Disk struct {
	dir     string
	maxSize int64
	tempAge time.Duration
	swept   atomic.Int64 // when, in Unix seconds
}

// DiskOptions say what a Disk does. The zero value works.
type DiskOptions struct {
	// MaxSize is the most bytes of an object; 0: 100 MiB, negative: no limit. A Handler has a
	// limit of its own.
	MaxSize int64

	// TempAge is how long a temporary file that is not written to is left alone, because another
	// process may still be at it; 0: an hour. Older ones are swept by NewDisk, and by Put every
	// TempAge.
	TempAge time.Duration
}

// NewDisk returns the Store of a folder, which it makes if it is not there, and sweeps it of what killed
// processes have left. Files and folders can be read by this user only.
func NewDisk(dir string, o DiskOptions) (*Disk, error) {
	d := &Disk{dir: dir, maxSize: o.MaxSize, tempAge: o.TempAge}
	switch {
	case d.maxSize == 0:
		d.maxSize = 100 << 20
	case d.maxSize < 0:
		d.maxSize = math.MaxInt64
	}
	if d.tempAge <= 0 {
		d.tempAge = time.Hour
	}
	if err := os.MkdirAll(d.temp(), 0o700); err != nil {
		return nil, fmt.Errorf("media: open a folder: %w", err)
	}
	d.sweep(time.Now())
	return d, nil
}

// temp is the folder of what is not an object yet, or no more. No level of two digits is called so.
func (d *Disk) temp() string { return filepath.Join(d.dir, "temp") }

// home is an object's folder.
func (d *Disk) home(h Hash) string {
	name := h.String()
	return filepath.Join(d.dir, name[:2], name[2:4], name)
}

// Open is as Store says.
func (d *Disk) Open(ctx context.Context, h Hash) (io.ReadSeekCloser, Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, Object{}, fmt.Errorf("media: open an object: %w", err)
	}
	f, o, err := d.open(h)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, Object{}, ErrNotFound
	case err != nil:
		return nil, Object{}, fmt.Errorf("media: open an object: %w", err)
	}
	return f, o, nil
}

// open returns an *os.File, so that the kernel copies it to a socket.
func (d *Disk) open(h Hash) (*os.File, Object, error) {
	entries, err := os.ReadDir(d.home(h))
	if err != nil {
		return nil, Object{}, err
	}
	if len(entries) == 0 { // somebody's broom, or a disk's repair
		return nil, Object{}, fs.ErrNotExist
	}
	name := entries[0].Name()
	typ, err := url.PathUnescape(name)
	if err != nil || len(entries) > 1 || CheckType(typ) != nil {
		return nil, Object{}, fmt.Errorf("%s holds what is not ours", d.home(h))
	}
	f, err := os.Open(filepath.Join(d.home(h), name))
	if err != nil {
		return nil, Object{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", f.Name())
	}
	if err != nil {
		f.Close()
		return nil, Object{}, err
	}
	return f, Object{Hash: h, Size: info.Size(), Type: typ}, nil
}

// Delete is as Store says. Who reads the object reads on, but on Windows Delete fails then.
func (d *Disk) Delete(ctx context.Context, h Hash) error {
	err := ctx.Err()
	if err == nil {
		err = d.remove(h)
	}
	if err != nil {
		return fmt.Errorf("media: delete an object: %w", err)
	}
	return nil
}

// remove takes the folder away at once, then what is in it.
func (d *Disk) remove(h Hash) error {
	temp, err := os.MkdirTemp(d.temp(), "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	home := d.home(h)
	err = os.Rename(home, filepath.Join(temp, "deleted"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(home))
}

// syncFolder writes the entries of a folder to the disk. Windows has no such thing for a program to ask for.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
