// Command leaves times the leaves beside the best known libraries for the same jobs, all in one run: who is who comes
// round after round, in another order each time, so that a machine that grows slow does so for all. It prints the
// medians, the ratio to the best of the others with its 90 % interval, and whether the targets were met.
//
//	go run ./leaves            # from bench/, with GOWORK=off; or make bench-leaves
//	go run ./leaves -json      # one line per figure
//
// Every job is also a benchmark: go test -bench . ./leaves.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"
)

func main() {
	testing.Init() // before Parse: testing.Benchmark takes its time from -test.benchtime
	rounds := flag.Int("rounds", 11, "rounds; an interval needs at least 9")
	each := flag.Duration("each", 30*time.Millisecond, "time for one library in one round")
	quick := flag.Bool("quick", false, "9 rounds of 10 ms")
	asJSON := flag.Bool("json", false, "print one JSON line per figure instead of the tables")
	only := flag.String("run", "", "only the scenarios that match this regular expression")
	flag.Parse()
	if *quick {
		*rounds, *each = 9, 10*time.Millisecond
	}
	if err := run(*rounds, *each, *asJSON, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rounds int, each time.Duration, asJSON bool, only string) error {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	if err := flag.Set("test.benchtime", each.String()); err != nil {
		return err
	}
	for _, s := range scenarios() {
		if !wanted.MatchString(s.name) {
			continue
		}
		figures := s.measure(max(rounds, 1))
		if asJSON {
			err = s.printJSON(os.Stdout, figures)
		} else {
			err = s.printTable(os.Stdout, figures)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
