package main

import (
	"os"
	"testing"
)

// TestMain is also what the processes run that a test has started.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-service" {
		main()
		return
	}
	os.Exit(m.Run())
}
