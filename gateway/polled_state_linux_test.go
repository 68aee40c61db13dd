package gateway

import (
	"testing"
	"time"
)

// An event that comes while somebody reads is not lost: he has to look once more
// before the right to read is anybody's again.
func TestEventWhileReading(t *testing.T) {
	p := new(polled)
	if !p.take(false) {
		t.Fatal("nobody reads, and the right to is not given")
	}
	for range 2 {
		if p.take(false) {
			t.Fatal("two read at a time")
		}
	}
	if p.yield() {
		t.Error("the right to read is given back, and what came meanwhile is not looked at")
	}
	if !p.yield() {
		t.Error("nothing came, and it is to be looked at")
	}
	if !p.take(false) {
		t.Error("who has yielded still reads")
	}
}

// Who is refused, reads why and goes is waited for until then, and not for as
// long as he may have.
func TestLingerEndsWithTheClient(t *testing.T) {
	withAndWithoutPoller(t, func(t *testing.T, poller func(*Options)) {
		g, url := testGateway(t, poller)
		const clients, most = 20, 5 * time.Second // lingerTime for each would be 20
		began := time.Now()
		for range clients {
			raw := dialRaw(t, url)
			raw.until(`"op":10`)
			raw.write([]byte{0x80 | wsPing, 0}) // no mask
			if code := raw.closeCode(); code != closeProtocol {
				t.Fatalf("closed with %d", code)
			}
			raw.read() // the end: from here on the gateway discards
			raw.write(make([]byte, 100))
			raw.nc.Close()
			eventually(t, "it is gone", func() bool { return g.Stats().Connections == 0 })
		}
		if took := time.Since(began); took > most {
			t.Errorf("%d clients were waited for %v", clients, took)
		}
	})
}
