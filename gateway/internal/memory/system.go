package memory

import (
	"bufio"
	"bytes"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// systemLimit is the memory that the system leaves to this process: the least of
// its cgroups' limits and the machine's memory. Files that are not there, or not
// as expected, set no limit.
func systemLimit(root fs.FS) uint64 {
	limit := machine(root)
	if in, ok := cgroupLimit(root); ok && (limit == 0 || in < limit) {
		limit = in
	}
	return limit
}

// machine is MemTotal of proc(5), in kibibytes there.
func machine(root fs.FS) uint64 {
	data, _ := fs.ReadFile(root, "proc/meminfo")
	for line := range bytes.Lines(data) {
		if fields := strings.Fields(string(line)); len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			n, _ := strconv.ParseUint(fields[1], 10, 54)
			return n << 10
		}
	}
	return 0
}

// cgroupLimit is the least limit of the groups that the process is in, each with
// those around it: a group may use no more than its parents.
func cgroupLimit(root fs.FS) (limit uint64, ok bool) {
	lower := func(n uint64, is bool) {
		if is && (!ok || n < limit) {
			limit, ok = n, true
		}
	}
	data, _ := fs.ReadFile(root, "proc/self/cgroup")
	mounts := mountsOf(root)
	// Lines of cgroups(7) are ID:CONTROLLERS:PATH, with 0 and no controllers in version 2.
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		version, file := 1, "memory.limit_in_bytes"
		if fields[0] == "0" && fields[1] == "" {
			version, file = 2, "memory.max"
		} else if !hasWord(fields[1], "memory") {
			continue
		}
		for _, m := range mounts {
			if m.version == version {
				lower(leastAbove(root, m.dir(fields[2]), m.point, file))
			}
		}
	}
	return limit, ok
}

// leastAbove is the least limit in dir and its parents up to top.
func leastAbove(root fs.FS, dir, top, file string) (limit uint64, ok bool) {
	for {
		if n, is := readLimit(root, path.Join(dir, file)); is && (!ok || n < limit) {
			limit, ok = n, true
		}
		if dir == top || len(dir) <= len(top) {
			return limit, ok
		}
		dir = path.Dir(dir)
	}
}

// readLimit reads a number, where 0, "max", or in version 1 anything near the
// largest int64, is none.
func readLimit(root fs.FS, name string) (uint64, bool) {
	data, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil && n > 0 && n < 1<<60
}

// mount is a cgroup file system, and what of the hierarchy is at its mount point.
type mount struct {
	version     int
	root, point string // root as in the hierarchy; point without the leading slash
}

// dir is where the group of a path is to be found below the mount point. One
// that the mount does not show, as in a container that has its own view, is at
// the mount point.
func (m mount) dir(group string) string {
	rel, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/"))
	if !ok || rel != "" && rel[0] != '/' || strings.Contains(group, "/..") {
		rel = ""
	}
	return path.Join(m.point, rel)
}

// mountsOf lists the cgroup file systems that can limit memory, of mountinfo in
// proc(5): … ROOT POINT OPTIONS … - TYPE SOURCE OPTIONS.
func mountsOf(root fs.FS) (mounts []mount) {
	data, _ := fs.ReadFile(root, "proc/self/mountinfo")
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if len(left) < 5 || len(right) < 3 {
			continue
		}
		m := mount{root: left[3], point: strings.TrimPrefix(left[4], "/")}
		switch {
		case right[0] == "cgroup2":
			m.version = 2
		case right[0] == "cgroup" && hasWord(right[2], "memory"):
			m.version = 1
		default:
			continue
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// hasWord reports whether a list with commas has a word.
func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}
