//go:build linux && race

package straight

// Gathers says that there is Gather here.
const Gathers = true

// Gather is Write of several pieces: one by one, so that the race detector hears
// of each.
func Gather(fd uintptr, parts [][]byte) (done int, err error) {
	for _, p := range parts {
		n, err := Write(fd, p)
		if done += n; err != nil {
			return done, err
		}
	}
	return done, nil
}
