package media

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sweepAtTimes sweeps if that was not done for TempAge.
func (d *Disk) sweepAtTimes() {
	now := time.Now()
	last := d.swept.Load()
	if now.Sub(time.Unix(last, 0)) >= d.tempAge && d.swept.CompareAndSwap(last, now.Unix()) {
		d.sweep(now)
	}
}

// sweep removes the temporary folders in which nothing was written since TempAge: a process that was
// killed has left them. An error leaves one for the next time.
func (d *Disk) sweep(now time.Time) {
	d.swept.Store(now.Unix())
	entries, err := os.ReadDir(d.temp())
	if err != nil {
		return
	}
	for _, e := range entries {
		name := filepath.Join(d.temp(), e.Name())
		if now.Sub(newest(name)) >= d.tempAge {
			os.RemoveAll(name)
		}
	}
}

// newest is when something at or below a name was last written to.
func newest(name string) (at time.Time) {
	filepath.WalkDir(name, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone meanwhile
		}
		if info, err := e.Info(); err == nil && info.ModTime().After(at) {
			at = info.ModTime()
		}
		return nil
	})
	return at
}
