package gatewaytest

import (
	"errors"
	"fmt"
	"strings"
)

// Report is what an oracle has found. Untold losses, repeats and the like
// must be zero whatever happened; a loss that the client was told of may be
// right, where a bound was small or a time was over.
type Report struct {
	Events     int // published
	Deliveries int // dispatches received, replayed ones included
	Resumes    int // that were honoured
	Sessions   int // that clients have known

	Told     int // sessions whose client was told that they are over: op 9, or a close that ends one
	LostTold int // events that those have not seen

	Lost      int // events that a session has not seen, untold
	Repeated  int // events that came again, under another sequence or unasked
	Restated  int // likewise conflated ones: states, which may come again when a node was killed
	Reordered int // events of a topic, or of a conflation key, behind a newer one
	Altered   int // sequences and events that became other ones, and bytes that made no sense
	Stray     int // events that a session should not have seen

	Problems []string // what was found, the first 20 of them, in words
}

// Err returns an error that says what must not be, or nil. Losses that were
// told are no error.
func (r Report) Err() error {
	if r.Lost+r.Repeated+r.Restated+r.Reordered+r.Altered+r.Stray == 0 {
		return nil
	}
	return errors.New("gatewaytest: " + r.String() + "\n  " + strings.Join(r.Problems, "\n  "))
}

func (r Report) String() string {
	return fmt.Sprintf("%d sessions, %d events, %d deliveries, %d resumes, told %d (%d events), lost %d, repeated %d, restated %d, reordered %d, altered %d, stray %d",
		r.Sessions, r.Events, r.Deliveries, r.Resumes, r.Told, r.LostTold, r.Lost, r.Repeated, r.Restated, r.Reordered, r.Altered, r.Stray)
}

// Add adds another report's numbers, and its problems behind these.
func (r *Report) Add(other Report) {
	for _, n := range []struct {
		to   *int
		from int
	}{
		{&r.Events, other.Events}, {&r.Deliveries, other.Deliveries}, {&r.Resumes, other.Resumes}, {&r.Sessions, other.Sessions},
		{&r.Told, other.Told}, {&r.LostTold, other.LostTold}, {&r.Lost, other.Lost}, {&r.Repeated, other.Repeated}, {&r.Restated, other.Restated},
		{&r.Reordered, other.Reordered}, {&r.Altered, other.Altered}, {&r.Stray, other.Stray},
	} {
		*n.to += n.from
	}
	for _, p := range other.Problems {
		r.note(p)
	}
}

func (r *Report) note(problem string) {
	if len(r.Problems) < 20 {
		r.Problems = append(r.Problems, problem)
	}
}

func (r *Report) problem(count *int, format string, args ...any) {
	*count++
	r.note(fmt.Sprintf(format, args...))
}

// problem notes what is seen at once. mu is held.
func (o *Oracle) problem(count *int, format string, args ...any) {
	o.found.problem(count, format, args...)
}
