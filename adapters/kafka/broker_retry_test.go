package kafka_test

import (
	"fmt"
	"strings"
	"testing"
)

// An event that is published again with its ID is left out by a node that began to read behind the first one,
// and by Since from between the two; behind the window it is another event, for everybody.
func TestRetryAtANodeThatIsNew(t *testing.T) {
	t.Parallel()
	o := brokerOptions(fake(t))
	one := openBroker(t, o)
	all := watching(t, one, "a")
	named := func() {
		t.Helper()
		rec := number("a", 0)
		rec.ID = "7"
		if err := one.Publish(soon(t), rec); err != nil {
			t.Fatal(err)
		}
	}
	named()
	publish(t, one, "a", 1, 2)
	late := watching(t, openBroker(t, o))
	at := late.follow(t, "a")
	check := func(want string) {
		t.Helper()
		all.has(t, "a", "0 1 "+want)
		late.has(t, "a", want)
		recs, err := one.Since(soon(t), at)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, rec := range recs {
			got = append(got, string(rec.Data))
		}
		if fmt.Sprint(got) != "["+want+"]" {
			t.Errorf("Since returned %.300q, want %.300q", got, strings.Fields(want))
		}
	}
	named()
	publish(t, one, "a", 2, 3)
	check("2")
	publish(t, one, "a", 3, 600)
	named()
	check(numbers(2, 600) + " 0")
}
