package shard

import (
	"slices"
	"time"
)

// settling is what the directory says and is not believed yet, because it may change again in a
// moment: a node that restarts is gone and back. The zero value is nothing.
type settling struct {
	members      []Member
	first, since time.Time // when it began to differ from what is believed, and to be this
}

// longest is how many times as long as it is to stay the same something waits that does not.
const longest = 10

// heard reports whether members, which were just read, are to be believed in place of those that
// are: they have been the same for that long.
func (s *settling) heard(now time.Time, believed, members []Member, long time.Duration) bool {
	switch {
	case slices.Equal(believed, members):
		*s = settling{}
		return false
	case s.first.IsZero():
		s.first, s.since = now, now
	case !slices.Equal(s.members, members):
		s.since = now
	}
	s.members = members
	if now.Sub(s.since) < long && now.Sub(s.first) < longest*long {
		return false
	}
	*s = settling{}
	return true
}
