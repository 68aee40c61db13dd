package gateway

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
)

// Large events are written from where they are, small ones beside them, to a
// client whose socket takes them in whatever parts: every byte arrives, in order.
func TestLargeEvents(t *testing.T) {
	for _, poller := range []bool{false, true} {
		t.Run(fmt.Sprintf("poller=%v", poller), func(t *testing.T) { largeEvents(t, poller) })
	}
}

func largeEvents(t *testing.T, poller bool) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Poller = poller
	})
	c := dialRaw(t, url)
	c.nc.(*net.TCPConn).SetReadBuffer(32 << 10)
	c.write(text(`{"op":2,"d":{"token":"ann","intents":0}}`))
	c.until("READY")
	const events = 100
	body := func(i int) string {
		size := 10
		if i%3 != 0 {
			size = largeTailBytes - 100 + i*i%40_000
		}
		return strings.Repeat(string(rune('a'+i%26)), size)
	}
	go func() {
		for i := range events {
			g.Publish(t.Context(), "t", Event{Type: "E", Data: fmt.Sprint(i, body(i))})
		}
	}()
	for i := range events {
		m := c.message()
		var got string
		if err := json.Unmarshal(m.D, &got); err != nil || *m.S != uint64(i+2) || got != fmt.Sprint(i, body(i)) {
			t.Fatalf("event %d: sequence %d, %.30q of %d bytes, %v", i, *m.S, got, len(got), err)
		}
	}
}

// What is cut out of a scratch is what its pieces have there.
func TestScratchCut(t *testing.T) {
	sc := &scratch{gathers: true}
	for i := range 3 {
		sc.buf = append(sc.buf, fmt.Sprintf("head%d", i)...)
		sc.addTail([]byte(strings.Repeat(fmt.Sprint(i), largeTailBytes+i)))
	}
	sc.buf = append(sc.buf, "end"...)
	var all []byte
	for _, part := range sc.parts() {
		all = append(all, part...)
	}
	if len(all) != sc.size() || len(sc.large) != 3 {
		t.Fatalf("%d bytes in pieces, size %d, %d large", len(all), sc.size(), len(sc.large))
	}
	for _, from := range []int{0, 4, 5, 6, 5 + largeTailBytes, 9 + largeTailBytes, sc.size() - 1} {
		for _, to := range []int{from, from + 1, from + largeTailBytes, sc.size()} {
			if to = min(to, sc.size()); string(sc.cut(from, to)) != string(all[from:to]) {
				t.Errorf("[%d:%d] is something else", from, to)
			}
		}
	}
}
