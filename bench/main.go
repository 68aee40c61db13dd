// Command bench measures gatehouse beside other libraries and beside servers that
// do nothing but the system calls, all on this machine's loopback. README.md says
// what each command does, how long it takes and how to read it.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// flags of all commands; each has use for some of them.
var (
	quick    = flag.Bool("quick", false, "fewer and shorter rounds")
	asJSON   = flag.Bool("json", false, "one line of JSON for each figure")
	rounds   = flag.Int("runs", 0, "rounds; 0: 9, or 2 with -quick")
	number   = flag.Int("n", 0, "connections; 0: the command's own")
	only     = flag.String("servers", "", "comma-separated; empty: all")
	settle   = flag.Duration("for", 0, "how long idle connections beat before they are measured")
	profiles = flag.String("profile", "", "prefix of files with the servers' CPU profiles")
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	command := os.Args[1]
	if command == "serve" || command == "crowd" {
		if err := role(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	flag.CommandLine.Parse(os.Args[2:])
	if *rounds == 0 {
		*rounds = 9
		if *quick {
			*rounds = 2
		}
	}
	run, ok := commands[command]
	if !ok {
		usage()
	}
	fmt.Fprintf(os.Stderr, "%s, GOMAXPROCS %d, gatehouse with %d fan-out worker(s), %d rounds\n", runtime.Version(), runtime.GOMAXPROCS(0), max(1, runtime.GOMAXPROCS(0)-1), *rounds)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var commands = map[string]func() error{
	"fanout":     fanout,
	"idle":       idle,
	"heartbeats": heartbeats,
	"million":    million,
	"storm":      storm,
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: bench fanout | idle | heartbeats | million | storm [flags]")
	flag.PrintDefaults()
	os.Exit(2)
}

// chosen are the servers to be measured, of those that there are.
func chosen(all ...string) []string {
	if *only == "" {
		return all
	}
	return strings.Split(*only, ",")
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
