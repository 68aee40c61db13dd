package load

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestNextFrame(t *testing.T) {
	for _, n := range []int{0, 125, 126, 65535, 65536} {
		payload := bytes.Repeat([]byte{'x'}, n)
		var b []byte
		switch {
		case n < 126:
			b = []byte{0x81, byte(n)}
		case n < 1<<16:
			b = []byte{0x81, 126, byte(n >> 8), byte(n)}
		default:
			b = []byte{0x81, 127, 0, 0, 0, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
		}
		b = append(append(b, payload...), "rest"...)
		op, got, rest, ok := nextFrame(b)
		if !ok || op != opText || !bytes.Equal(got, payload) || string(rest) != "rest" {
			t.Errorf("%d bytes: op %d, %d bytes, rest %q, %v", n, op, len(got), rest, ok)
		}
		for _, cut := range []int{0, 1, len(b) - 5} {
			if _, _, _, ok := nextFrame(b[:max(0, min(cut, len(b)-5))]); ok {
				t.Errorf("%d bytes: a frame was found in %d", n, cut)
			}
		}
	}
}

func TestSequence(t *testing.T) {
	for text, want := range map[string]uint64{`{"s":1,"op":0`: 1, `{"s":4711,"op":0,"t"`: 4711} {
		if n, ok := sequence([]byte(text)); !ok || n != want {
			t.Errorf("%s: %d, %v", text, n, ok)
		}
	}
	for _, text := range []string{`{"s":null,"op":11`, `{"op":0,"s":1}`, ``} {
		if n, ok := sequence([]byte(text)); ok {
			t.Errorf("%s: %d", text, n)
		}
	}
}

// Centrifuge's frames hold several messages, and an empty one is a ping.
func TestCentrifuge(t *testing.T) {
	c := new(Client)
	answer, events := Centrifuge().Message(c, []byte{2, 0x08, 1, 3, 0x2a, 1, 0, 3, 0x2a, 1, 0, 0})
	if events != 2 || !c.Ready || answer == nil {
		t.Errorf("%d events, ready %v, answer %v", events, c.Ready, answer)
	}
}

// What a server sends cannot break the clients, whatever it is.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0x82, 3, 1, 0, 0, 0x81, 0})
	f.Add([]byte{0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255, 0})
	f.Add(append([]byte{0x81, 38}, `{"op":10,"d":{"heartbeat_interval":1}}`...))
	f.Add(append([]byte{0x82, 13, 2, 8, 1}, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			_, payload, rest, ok := nextFrame(b)
			if !ok {
				return
			}
			if len(payload)+len(rest) >= len(b) {
				t.Fatalf("%d bytes became %d and %d", len(b), len(payload), len(rest))
			}
			for _, s := range []*Speaker{Plain(), Gatehouse(), Centrifuge(), SocketIO()} {
				s.Message(&Client{crowd: &Crowd{rng: rand.New(rand.NewPCG(1, 2))}}, payload)
			}
			b = rest
		}
	})
}
