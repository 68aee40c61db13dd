package servers

import (
	"fmt"
	"strconv"
	"strings"
)

// order is one line of what a server is told.
//
//	publish N SIZE          publish N events of about SIZE bytes, one after the other
//	rate PER_SECOND N SIZE  likewise, at a rate, whoever keeps up; answers when done
//	collect                 collect garbage until none is left; answers when done
//	stats                   answers with Stats
//	stages                  answers with what the stages of a message took since they were last asked for
//	profile FILE, stop      begin a CPU profile, and end it; stop answers
type order struct {
	verb      string
	perSecond int
	n, size   int
	file      string
}

// largest is how large an event may be: more than any benchmark asks for.
const largest = 1 << 20

func parseOrder(line string) (o order, err error) {
	f := strings.Fields(line)
	if len(f) == 0 {
		return o, fmt.Errorf("an empty order")
	}
	var numbers []*int
	switch o.verb = f[0]; o.verb {
	case "publish":
		numbers = []*int{&o.n, &o.size}
	case "rate":
		numbers = []*int{&o.perSecond, &o.n, &o.size}
	case "profile":
		if len(f) != 2 {
			return o, fmt.Errorf("%q: profile wants one file", line)
		}
		o.file = f[1]
		return o, nil
	case "collect", "stages", "stats", "stop":
	default:
		return o, fmt.Errorf("%q is not an order", line)
	}
	if len(f) != 1+len(numbers) {
		return o, fmt.Errorf("%q: %s wants %d numbers", line, o.verb, len(numbers))
	}
	for i, to := range numbers {
		if *to, err = strconv.Atoi(f[1+i]); err != nil || *to < 1 {
			return o, fmt.Errorf("%q: %s is not a number above 0", line, f[1+i])
		}
	}
	if o.size > largest {
		return o, fmt.Errorf("%q: more than %d bytes", line, largest)
	}
	return o, nil
}
