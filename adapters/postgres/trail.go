package postgres

import (
	"slices"
	"time"
)

// mark says that all that the primary had done by a moment is in its log up to a place.
type mark struct {
	at    time.Time
	place int64
}

// trail is marks of one timeline of the primary's log, the older first in both respects. It tells when
// a replica was level with the primary without asking for anybody's clock but ours.
type trail struct {
	timeline int64
	marks    []mark
}

// maxMarks bounds a trail. A replica that falls so far behind is known a little less well.
const maxMarks = 256

// add notes a mark. One that says less than those that are there is dropped, and drops those that say
// less than it does: of an idle primary there is one.
func (t *trail) add(timeline int64, m mark) {
	if timeline != t.timeline {
		t.timeline, t.marks = timeline, nil // places are not to be compared
	}
	for len(t.marks) > 0 {
		last := t.marks[len(t.marks)-1]
		if m.at.Before(last.at) {
			return
		}
		if last.place < m.place {
			break
		}
		t.marks = t.marks[:len(t.marks)-1]
	}
	if len(t.marks) == maxMarks { // every second one will do
		i := 0
		t.marks = slices.DeleteFunc(t.marks, func(mark) bool { i++; return i%2 == 0 })
	}
	t.marks = append(t.marks, m)
}

// reached returns a moment by which all was done that a replica has which is at a place of the log;
// false if it is not known. It forgets what is older: replicas do not go back.
func (t *trail) reached(timeline, place int64) (time.Time, bool) {
	if timeline != t.timeline {
		return time.Time{}, false
	}
	n := 0
	for n < len(t.marks) && t.marks[n].place <= place {
		n++
	}
	if n == 0 {
		return time.Time{}, false
	}
	t.marks = slices.Delete(t.marks, 0, n-1)
	return t.marks[0].at, true
}
