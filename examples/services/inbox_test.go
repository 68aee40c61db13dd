package main

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func TestInbox(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inbox.db")
	in, err := openInbox(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { in.close() }()
	add := func(id message.ID, to ...recipient) {
		t.Helper()
		if err := in.add(t.Context(), message.Message{ID: id, Channel: channel, Author: "ann", Content: id.String()}, to); err != nil {
			t.Fatal(err)
		}
	}
	has := func(name string, want ...string) {
		t.Helper()
		list, err := in.of(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range list {
			got = append(got, n.Content)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", name, got, want)
		}
	}
	add(1, recipient{name: "bob"})
	add(2)
	add(3, recipient{name: "bob", held: true}, recipient{name: "carol", held: true})
	has("bob", "1")
	if err := in.close(); err != nil {
		t.Fatal(err)
	}
	if in, err = openInbox(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	add(1, recipient{name: "bob"}) // they come again, when bob has left
	add(2, recipient{name: "bob"})
	waiting, err := in.held(t.Context())
	if err != nil || len(waiting) != 2 || !slices.Equal(waiting["bob"], []message.ID{3}) {
		t.Errorf("held are %v, %v", waiting, err)
	}
	if err := in.send(t.Context(), "bob", 3); err != nil {
		t.Fatal(err)
	}
	if err := in.forget(t.Context(), "carol", 3); err != nil {
		t.Fatal(err)
	}
	if err := in.forget(t.Context(), "bob", 3); err != nil { // too late
		t.Fatal(err)
	}
	has("bob", "1", "3")
	has("carol")
}
