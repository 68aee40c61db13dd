package main

import (
	"os"
	"testing"
)

// TestMain is also what the processes of a cluster run that a test has started.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == roleNode || os.Args[1] == roleBroker || os.Args[1] == roleFront) {
		main()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == rolePublisher {
		runPublisher(os.Args[2])
		return
	}
	os.Exit(m.Run())
}
