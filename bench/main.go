// Command bench measures gatehouse beside other libraries and beside servers that
// do nothing but the system calls, all on this machine's loopback. README.md says
// what each command does, how long it takes and how to read it.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/report"
)

// flags of all commands; each has use for some of them.
var (
	quick    = flag.Bool("quick", false, "fewer and shorter rounds: a look, not a measurement")
	asJSON   = flag.Bool("json", false, "one line of JSON for each figure")
	runs     = flag.Int("runs", 0, "rounds; 0: the command's own. An interval needs 5, a claim 9")
	number   = flag.Int("n", 0, "connections, events of codec, or times of messages that readers come at once; 0: the command's own")
	only     = flag.String("servers", "", "comma-separated; of codec encodings, of messages stores; empty: all")
	workers  = flag.Int("workers", 0, "gatehouse's that fan out; 0: one fewer than GOMAXPROCS, at least one")
	settle   = flag.Duration("for", 0, "how long idle connections beat before they are measured; 0: the command's own")
	part     = flag.String("part", "", "of messages: pipeline, readers or gateway; empty: all")
	profiles = flag.String("profile", "", "prefix of files with the servers' CPU profiles")
)

var commands = map[string]func() error{
	"codec":      codecsBench,
	"fanout":     fanout,
	"idle":       idle,
	"messages":   messagesBench,
	"heartbeats": heartbeats,
	"million":    million,
	"storm":      storm,
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	command := os.Args[1]
	if command == "serve" || command == "crowd" {
		end(role(os.Args[1:]))
	}
	run, ok := commands[command]
	if !ok {
		usage()
	}
	flag.CommandLine.Parse(os.Args[2:])
	progress("%s, GOMAXPROCS %d", runtime.Version(), runtime.GOMAXPROCS(0))
	end(run())
}

// end ends the process.
func end(err error) {
	if err != nil {
		progress("bench: %v", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func usage() {
	progress("usage: bench codec | fanout | idle | heartbeats | messages | storm | million [flags]")
	flag.PrintDefaults()
	os.Exit(2)
}

// orElse is the value of a flag, or a command's own if it was not given.
func orElse[T int | time.Duration](given, own, whenQuick T) T {
	switch {
	case given > 0:
		return given
	case *quick:
		return whenQuick
	}
	return own
}

// show writes the results to standard output, each beside those named.
func show(results *report.Results, against ...string) {
	if *asJSON {
		results.JSON(os.Stdout, against...)
	} else {
		results.Table(os.Stdout, against...)
	}
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
