package inbound

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// small has limits that a fuzzer reaches, in the gateway's proportion.
var small = Limits{Message: 60, Wire: 8*60 + 64}

// However a stream is cut, its events are the same: those of the goroutine path.
func TestAnySplit(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := draw(r, small)
		want := reference(t, data, small)
		check(t, data, want, r)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func check(t *testing.T, data []byte, want []string, r *rand.Rand) {
	t.Helper()
	for _, way := range []struct {
		name string
		cut  func(int) int
	}{{"whole", whole}, {"byte by byte", single}, {"at random", random(r)}} {
		if got := parse(data, small, way.cut); !slices.Equal(got, want) {
			t.Errorf("%x\n%s: got  %q\nwant %q", data, way.name, got, want)
		}
	}
}

// FuzzParser compares the parser with package websocket's reader on any bytes,
// whole, byte by byte and cut at random.
func FuzzParser(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(draw(rand.New(rand.NewPCG(seed, 2)), small), seed)
	}
	for _, c := range autobahn() {
		if len(c.send) < 1<<10 {
			f.Add(c.send, uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		check(t, data, reference(t, data, small), rand.New(rand.NewPCG(seed, 3)))
	})
}

// Every cut into three is tried on a stream that has one of everything.
func TestEveryCut(t *testing.T) {
	data := join(
		frame(0x80|opText, "one"), frame(0x80|opPing, "two"), frame(opBinary, "th"), frame(0x80|opPong, ""), frame(opContinuation, ""),
		frame(0x80|opPing, "four"), frame(0x80|opContinuation, "ree"), wide(0x80|opText, 2, "five"), wide(0x80|opText, 8, "six"),
		frame(0x80|opText, ""), closeWith(1000, "bye"), frame(0x80|opText, "late"),
	)
	want := reference(t, data, small)
	if len(want) != 9 {
		t.Fatalf("%d events: %q", len(want), want)
	}
	for first := range len(data) {
		for second := range len(data) - first {
			cuts := []int{first, second}
			got := parse(data, small, func(left int) int {
				for len(cuts) > 0 {
					n := cuts[0]
					cuts = cuts[1:]
					if n > 0 {
						return n
					}
				}
				return left
			})
			if !slices.Equal(got, want) {
				t.Fatalf("cut behind %d and %d: got %q", first, first+second, got)
			}
		}
	}
}

// A message that does not end is told of at the same byte however it arrives,
// and whatever lies across that byte.
func TestEndless(t *testing.T) {
	for n := range 90 {
		for _, across := range [][]byte{frame(0x80|opPing, "across the limit"), frame(0x80|opContinuation, "end"), frame(0x80|opPing, "")} {
			data := append(frame(opText, ""), bytes.Repeat(frame(opContinuation, ""), n)...)
			data = append(join(data, across, across), frame(0x80|opText, "next")...)
			check(t, data, reference(t, data, small), rand.New(rand.NewPCG(uint64(n), 5)))
		}
	}
	// What is dropped for its size is not endless, too, and what follows counts anew.
	data := join(frame(0x80|opText, strings.Repeat("x", 5000)), frame(opText, ""), frame(0x80|opContinuation, "next"))
	want := []string{"too big", `text "next"`}
	check(t, data, want, rand.New(rand.NewPCG(1, 5)))
	check(t, data, reference(t, data, small), rand.New(rand.NewPCG(1, 5)))
}

// The usual frame that arrived whole costs no memory; nor does anything, once
// pools are warm, that comes in pieces.
func TestAllocations(t *testing.T) {
	var p Parser
	l := Limits{Message: 4096, Wire: 8*4096 + 512}
	heartbeat := frame(0x80|opText, `{"op":1,"d":251}`)
	pieces := join(frame(opText, `{"op":1,`), frame(0x80|opPing, "x"), frame(0x80|opContinuation, `"d":251`+strings.Repeat(" ", 300)+`}`))
	for _, c := range []struct {
		name  string
		bytes []byte
		size  int
		want  int
	}{{"whole", heartbeat, len(heartbeat), 1}, {"in pieces", pieces, 3, 2}} {
		buf := make([]byte, 64)
		n := testing.AllocsPerRun(1000, func() {
			events := 0
			for rest := c.bytes; len(rest) > 0; {
				piece := buf[:copy(buf[:min(c.size, len(rest))], rest)]
				rest = rest[len(piece):]
				for {
					ev, took := p.Next(piece, &l)
					piece = piece[took:]
					if ev.Kind == None {
						break
					}
					events++
				}
			}
			if events != c.want || !p.Between() {
				t.Fatalf("%s: %d events, nothing begun: %v", c.name, events, p.Between())
			}
		})
		if n > 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

// What is kept grows with what arrived, and not with what was announced.
func TestMemoryOfWhatWasAnnounced(t *testing.T) {
	l := Limits{Message: 1 << 30, Wire: 1 << 40}
	var p Parser
	defer p.Drop()
	head := declaring(0x80|opText, 1<<29)
	p.Next(masked(head, "abc"), &l)
	if got := cap(p.part.message.b); got > smallest {
		t.Errorf("3 bytes of half a gigabyte cost %d", got)
	}
	chunk := make([]byte, 100)
	for n := 3; n < 1<<20; n += len(chunk) {
		if p.Next(chunk, &l); cap(p.part.message.b) > 4*(n+len(chunk))+smallest {
			t.Fatalf("%d bytes cost %d", n+len(chunk), cap(p.part.message.b))
		}
	}
}

func BenchmarkNext(b *testing.B) {
	var p Parser
	l := Limits{Message: 4096, Wire: 8*4096 + 512}
	heartbeat := frame(0x80|opText, `{"op":1,"d":251}`)
	b.ReportAllocs()
	for b.Loop() {
		ev, n := p.Next(heartbeat, &l)
		if ev.Kind != Text || n != len(heartbeat) {
			b.Fatal(ev)
		}
	}
}
