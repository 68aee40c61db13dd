package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	all := []string{"limit", "gatehouse", "gws"}
	for list, want := range map[string]string{"": "limit gatehouse gws", "gws": "gws", "gws,limit": "gws limit", "gws,gws": "gws"} {
		if got, err := choose(all, list); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v, want %s", list, got, err, want)
		}
	}
	for _, list := range []string{"gw", "limit,", ",", "limit gws"} {
		if got, err := choose(all, list); err == nil {
			t.Errorf("%q: %v", list, got)
		}
	}
}

// In 2n rounds each server has each place twice, and comes behind each of its
// neighbours equally often.
func TestInOrder(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	places, behind := map[string]int{}, map[string]int{}
	for round := range 2 * len(names) {
		order := inOrder(names, round)
		for i, name := range order {
			places[name+string(rune('0'+i))]++
			if i > 0 {
				behind[order[i-1]+name]++
			}
		}
		if slices.Sort(order); !slices.Equal(order, names) {
			t.Fatalf("round %d: %v", round, order)
		}
	}
	if len(places) != 16 {
		t.Errorf("places: %v", places)
	}
	for place, n := range places {
		if n != 2 {
			t.Errorf("%s: %d times", place, n)
		}
	}
	for pair, n := range behind {
		if other := behind[pair[1:]+pair[:1]]; n != other {
			t.Errorf("%s: %d times, the other way %d", pair, n, other)
		}
	}
}

// One that fails is told of, and the others are measured all the same.
func TestInterleave(t *testing.T) {
	broken := errors.New("broken")
	var calls []string
	err := interleave(2, []string{"a", "b"}, "test", func(round int, name string) error {
		calls = append(calls, name)
		if name == "b" && round == 0 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "round 1, b") {
		t.Errorf("error %v", err)
	}
	if got := strings.Join(calls, ""); got != "abba" {
		t.Errorf("calls %s, want abba", got)
	}
}
