package nats_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// An item that is put again within the window is there once, also when it was dealt with; one of another
// key, or without an ID, is another one.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	q := open(t, js, "q", nats.QueueOptions{Lease: lease})
	again := func(q *nats.Queue) {
		t.Helper()
		err := q.Put(t.Context(),
			message.Item{Key: "a", ID: "1", Data: []byte("a1")}, message.Item{Key: "a", ID: "2", Data: []byte("a2")},
			message.Item{Key: "b", ID: "1", Data: []byte("b1")}, message.Item{Key: "a1", Data: []byte("c")})
		if err != nil {
			t.Fatal(err)
		}
	}
	count := func(n int) {
		t.Helper()
		put(t, q, "end", 0, 1)
		items := take(t, q, n+1)
		if err := q.Ack(t.Context(), items...); err != nil {
			t.Error(err)
		}
		byKey := make(map[string]string)
		for _, it := range items {
			byKey[it.Key] += string(it.Data) + " "
		}
		if len(items) != n+1 || byKey["end"] != "0 " {
			t.Errorf("%d items, %v", len(items), byKey)
		}
	}
	again(q)
	again(q)
	count(5)
	again(q)
	count(1)
	again(open(t, js, "q", nats.QueueOptions{Duplicates: -1}))
	count(4)
}
