package gatewaytest

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// TestEveryByte has the server's writes stop at every byte of a few frames, in
// every encoding: for a while, until the connection is killed, or by the kill
// itself; while events are sent, and while they are sent again.
func TestEveryByte(t *testing.T) {
	faults := map[string]func(l *Link, n int){
		"stops": func(l *Link, n int) { l.Short(n, time.Second) },
		"stops and is killed": func(l *Link, n int) {
			l.Short(n, time.Second)
			time.AfterFunc(time.Second/2, l.Kill)
		},
		"is killed": func(l *Link, n int) { l.KillAfterSent(n) },
	}
	for _, compress := range []string{"", "msgpack", "lz4", "dictionary"} {
		for name, fault := range faults {
			t.Run(strings.TrimSpace(compress+" "+name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { everyByte(t, compress, fault) })
			})
		}
	}
}

func everyByte(t *testing.T, encoding string, fault func(l *Link, n int)) {
	oracle := NewOracle()
	gw := newGateway(t, quiet(oracle))
	network := NewNetwork(NetworkOptions{})
	network.Serve(t, "gateway", gw)
	o := ClientOptions{Token: "ann", Oracle: oracle, Receive: func(Message, error) {}}
	if encoding != "" {
		o.Encoding = "msgpack"
		switch encoding {
		case "lz4":
			o.Compress = "lz4"
		case "dictionary":
			o.Compress, o.Dictionary = "lz4", codec.DefaultDictionary()
		}
	}
	c := network.Client(t, o)
	if _, err := c.Identify(t.Context()); err != nil {
		t.Fatal(err)
	}
	publish := func() {
		for _, data := range []string{"a", strings.Repeat("b", 150), strings.Repeat("long ", 60)} {
			if err := oracle.Publish(t.Context(), gw, "news", gateway.Event{Type: "T", Data: data}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
	}
	before := c.Link().Sent()
	publish()
	frames := int(c.Link().Sent() - before)
	for n := range frames + 2 {
		fault(c.Link(), n)
		publish()
		time.Sleep(2 * time.Second)
		if c.Connected() {
			continue
		}
		// Once more while the rest is replayed, and then in peace.
		for _, disturbed := range []bool{true, false} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := c.Connect(ctx); err != nil {
				t.Fatal(err)
			}
			if disturbed {
				fault(c.Link(), n)
			}
			if err := c.Resume(ctx); err != nil && !disturbed {
				t.Fatal(err)
			}
			cancel()
			time.Sleep(2 * time.Second)
		}
		if !c.Connected() {
			t.Fatalf("byte %d: not connected", n)
		}
	}
	r := oracle.Check()
	if err := r.Err(); err != nil || r.Told > 0 || r.Sessions != 1 {
		t.Errorf("%v, %v", r, err)
	}
	if r.Events < 3*frames {
		t.Errorf("%d events for %d bytes", r.Events, frames)
	}
	t.Logf("%d bytes: %v", frames, r)
}
