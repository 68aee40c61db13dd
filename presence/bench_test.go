package presence_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

func BenchmarkSet(b *testing.B) {
	tr, _ := presence.New(presence.Options{})
	defer tr.Close(b.Context())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tr.Set(b.Context(), presence.Device{User: "ann", Session: "s", Status: []presence.Status{presence.Online, presence.DND}[i&1]})
	}
}

func BenchmarkGet(b *testing.B) {
	tr, _ := presence.New(presence.Options{})
	defer tr.Close(b.Context())
	for i := range 10_000 {
		tr.Set(b.Context(), presence.Device{User: fmt.Sprint("u", i), Session: "s"})
	}
	b.ReportAllocs()
	for b.Loop() {
		tr.Get("u77")
	}
}

// One user's change, told in 200 topics.
func BenchmarkTell200Topics(b *testing.B) {
	told := make(chan struct{}, 200)
	tr, _ := presence.New(presence.Options{
		Window:  time.Microsecond,
		Publish: func(string, []presence.Change) { told <- struct{}{} },
	})
	defer tr.Close(b.Context())
	for i := range 200 {
		tr.Join(fmt.Sprint("g", i), "ann")
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tr.Set(b.Context(), presence.Device{User: "ann", Session: "s", Status: []presence.Status{presence.Online, presence.DND}[i&1]})
		for range 200 {
			<-told
		}
	}
}
