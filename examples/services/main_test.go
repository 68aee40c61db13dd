package main

import (
	"os"
	"strings"
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

// What cannot be started is one line that says why, without a password.
func TestRefused(t *testing.T) {
	tests := []struct {
		name, want string
		args       []string
	}{
		{"no such service", `there is no service "chat"`, []string{"-service", "chat"}},
		{"without NATS", "-service needs -nats", []string{"-service", "presence"}},
		{"nobody there", "NATS: ", []string{"-service", "presence", "-nats", "nats://me:secret@127.0.0.1:1"}},
		{"no URL", "NATS: ", []string{"-service", "presence", "-nats", "nats://me:secret@[::1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := command(tt.args)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s…", err, tt.want)
			}
		})
	}
}
