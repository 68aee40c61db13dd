package main

import (
	"path/filepath"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
)

func newPosts(t testing.TB) posts {
	db, err := openDB(filepath.Join(t.TempDir(), "posts.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return posts{db}
}

// The kit says of each rule that a store must keep whether this one does.
func TestStore(t *testing.T) {
	messagetest.Store(t, func(t testing.TB) message.Store { return newPosts(t) })
}

// What is posted is in the table, and everybody is told.
func TestPost(t *testing.T) {
	store := newPosts(t)
	gw, pipeline, err := newGateway(store.db)
	if err != nil {
		t.Fatal(err)
	}
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{})
	network.Serve(t, "gateway", gw)
	ann := network.Client(t, gatewaytest.ClientOptions{Token: "ann", Ext: true})
	bob := network.Client(t, gatewaytest.ClientOptions{Token: "bob"})
	for _, c := range []*gatewaytest.Client{ann, bob} {
		if _, err := c.Identify(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var posted, told message.Message
	if err := ann.Call(t.Context(), "POST", "hello", &posted); err != nil {
		t.Fatal(err)
	}
	if err := bob.Expect(t, "POST_CREATE").Decode(&told); err != nil {
		t.Fatal(err)
	}
	if err := ann.Call(t.Context(), "POST", " ", &posted); err == nil {
		t.Error("nothing can be posted")
	}
	page, err := store.Page(t.Context(), room, message.Query{Limit: 10})
	if err != nil || len(page) != 1 || page[0].ID != told.ID || told.ID != posted.ID || page[0].Content != "hello" || page[0].Author != "ann" {
		t.Errorf("posted %+v, told %+v, kept %+v, %v", posted, told, page, err)
	}
	if err := pipeline.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
