package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// choose is those of all that a comma-separated list names, in the list's order;
// an empty one names all.
func choose(all []string, list string) (names []string, err error) {
	if list == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("-servers: %q is none of %s", name, strings.Join(all, ", "))
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// inOrder is the names in the order of a round. Each begins another round; every
// second time around the order is the other way, so that nobody always comes
// behind the same one.
func inOrder(names []string, round int) []string {
	n := len(names)
	order := make([]string, 0, n)
	for i := range n {
		order = append(order, names[(i+round)%n])
	}
	if round/n%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// interleave calls once for every server in every round. The others go on when it
// fails for one; the error is all of theirs.
func interleave(rounds int, names []string, what string, once func(round int, name string) error) (failed error) {
	for round := range rounds {
		for _, name := range inOrder(names, round) {
			if err := once(round, name); err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s, round %d, %s: %w", what, round+1, name, err))
			}
		}
		progress("%s: round %d of %d", what, round+1, rounds)
	}
	return failed
}
