package inbound

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// autobahnCase is a case of the Autobahn test suite, as bytes that its client
// sends, with what a server has to see in them.
type autobahnCase struct {
	id   string
	send []byte
	want []string
}

// autobahnLimits are those of the cases: Autobahn sends up to 16 MB.
var autobahnLimits = Limits{Message: 16 << 20, Wire: 8*16<<20 + 512}

// autobahn has the cases of chapters 1 to 7, 9 and 10 that are about what a
// server reads. Chapter 6 expects 1007 for text that is not UTF-8: like package
// websocket's reader the parser hands such text on, and the gateway's decoder
// refuses it with a code of its protocol (4002). 12 and 13 are about compression,
// which is not offered.
func autobahn() (cases []autobahnCase) {
	add := func(id string, want []string, frames ...[]byte) {
		cases = append(cases, autobahnCase{id, join(frames...), want})
	}
	saw := func(events ...string) []string { return events }
	text := func(s string) string { return describe(Event{Kind: Text, Data: []byte(s)}) }
	bin := func(s string) string { return describe(Event{Kind: Binary, Data: []byte(s)}) }
	ping := func(s string) string { return describe(Event{Kind: Ping, Data: []byte(s)}) }
	pong := func(s string) string { return describe(Event{Kind: Pong, Data: []byte(s)}) }

	// 1: framing.
	for i, n := range []int{0, 125, 126, 127, 128, 65535, 65536, 65536} {
		s := strings.Repeat("*", n)
		add(fmt.Sprint("1.1.", i+1), saw(text(s)), frame(0x81, s))
		s = strings.Repeat("\xfe", n)
		add(fmt.Sprint("1.2.", i+1), saw(bin(s)), frame(0x82, s))
	}

	// 2: pings and pongs.
	add("2.1", saw("ping"), frame(0x89, ""))
	add("2.2", saw(ping("Hello, world!")), frame(0x89, "Hello, world!"))
	add("2.3", saw(ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")), frame(0x89, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))
	add("2.4", saw(ping(strings.Repeat("\xfe", 125))), frame(0x89, strings.Repeat("\xfe", 125)))
	add("2.5", saw("broken"), frame(0x89, strings.Repeat("\xfe", 126)))
	add("2.6", saw(ping(strings.Repeat("\xfe", 125))), frame(0x89, strings.Repeat("\xfe", 125)))
	add("2.7", saw("pong"), frame(0x8a, ""))
	add("2.8", saw(pong("unsolicited")), frame(0x8a, "unsolicited"))
	add("2.9", saw(pong("unsolicited"), ping("ping")), frame(0x8a, "unsolicited"), frame(0x89, "ping"))
	var pings [][]byte
	var pinged []string
	for i := range 10 {
		pings = append(pings, frame(0x89, fmt.Sprint("payload-", i)))
		pinged = append(pinged, ping(fmt.Sprint("payload-", i)))
	}
	add("2.10", pinged, pings...)
	add("2.11", pinged, pings...)

	// 3: reserved bits; what came before is seen.
	hello := frame(0x81, "Hello, world!")
	add("3.1", saw("broken"), frame(0x80|0x10|1, "x"))
	add("3.2", saw(text("Hello, world!"), "broken"), hello, frame(0x80|0x20|1, "x"), frame(0x89, ""))
	add("3.3", saw(text("Hello, world!"), "broken"), hello, frame(0x80|0x30|1, "x"), frame(0x89, ""))
	add("3.4", saw(text("Hello, world!"), "broken"), hello, frame(0x80|0x40|1, "x"), frame(0x89, ""))
	add("3.5", saw("broken"), frame(0x80|0x50|2, "x"))
	add("3.6", saw("broken"), frame(0x80|0x60|9, "x"))
	add("3.7", saw("broken"), frame(0x80|0x70|8, ""))

	// 4: reserved opcodes.
	for i, op := range []byte{3, 4, 5, 6, 7} {
		for chapter, base := range map[string]byte{"4.1.": 0, "4.2.": 8} {
			payload := []string{"", "reserved"}[i%2]
			before := [][]byte{hello, frame(0x80|(op+base), payload), frame(0x89, "")}
			if i < 2 {
				add(fmt.Sprint(chapter, i+1), saw("broken"), before[1:]...)
			} else {
				add(fmt.Sprint(chapter, i+1), saw(text("Hello, world!"), "broken"), before...)
			}
		}
	}

	// 5: fragmentation.
	add("5.1", saw("broken"), frame(0x09, "fragment1"), frame(0x80, "fragment2"))
	add("5.2", saw("broken"), frame(0x0a, "fragment1"), frame(0x80, "fragment2"))
	both := text("fragment1fragment2")
	for _, id := range []string{"5.3", "5.4", "5.5"} {
		add(id, saw(both), frame(0x01, "fragment1"), frame(0x80, "fragment2"))
	}
	for _, id := range []string{"5.6", "5.7", "5.8"} {
		add(id, saw(ping("ping payload"), both), frame(0x01, "fragment1"), frame(0x89, "ping payload"), frame(0x80, "fragment2"))
	}
	for _, id := range []string{"5.9", "5.10", "5.11"} {
		add(id, saw("broken"), frame(0x80, "non-continuation payload"), hello)
	}
	for _, id := range []string{"5.12", "5.13", "5.14"} {
		add(id, saw("broken"), frame(0x00, "non-continuation payload"), hello)
	}
	add("5.15", saw(both, "broken"), frame(0x01, "fragment1"), frame(0x80, "fragment2"), frame(0x00, "fragment3"), frame(0x81, "fragment4"))
	add("5.16", saw("broken"), frame(0x00, "fragment1"), frame(0x01, "fragment2"), frame(0x80, "fragment3"))
	add("5.17", saw("broken"), frame(0x80, "fragment1"), frame(0x01, "fragment2"), frame(0x80, "fragment3"))
	add("5.18", saw("broken"), frame(0x01, "fragment1"), frame(0x81, "fragment2"))
	five := [][]byte{
		frame(0x01, "fragment1"), frame(0x00, "fragment2"), frame(0x89, "pongme 1!"), frame(0x00, "fragment3"), frame(0x00, "fragment4"),
		frame(0x89, "pongme 2!"), frame(0x80, "fragment5"),
	}
	for _, id := range []string{"5.19", "5.20"} {
		add(id, saw(ping("pongme 1!"), ping("pongme 2!"), text("fragment1fragment2fragment3fragment4fragment5")), five...)
	}

	// 6: text is handed on as it is, in however many fragments.
	add("6.1.1", saw("text"), frame(0x81, ""))
	add("6.1.2", saw("text"), frame(0x01, ""), frame(0x00, ""), frame(0x80, ""))
	add("6.1.3", saw(text("middle frame payload")), frame(0x01, ""), frame(0x00, "middle frame payload"), frame(0x80, ""))
	utf8 := "Hello-µ@ßöäüàá-UTF-8!!"
	add("6.2.1", saw(text(utf8)), frame(0x81, utf8))
	add("6.2.2", saw(text(utf8)), frame(0x01, utf8[:7]), frame(0x80, utf8[7:])) // within a rune
	var runes [][]byte
	for i := range len(utf8) {
		first := byte(0)
		if i == 0 {
			first = 1
		}
		if i == len(utf8)-1 {
			first |= 0x80
		}
		runes = append(runes, frame(first, utf8[i:i+1]))
	}
	add("6.2.3", saw(text(utf8)), runes...)
	bad := "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"
	add("6.3.1", saw(text(bad)), frame(0x81, bad))
	add("6.4.1", saw(text(bad)), frame(0x01, bad[:11]), frame(0x80, bad[11:]))

	// 7: closing.
	add("7.1.1", saw(text("Hello World!"), describe(Event{Kind: Close, Data: []byte("\x03\xe8")})), frame(0x81, "Hello World!"), closeWith(1000, ""))
	one := describe(Event{Kind: Close, Data: []byte("\x03\xe8")})
	add("7.1.2", saw(one), closeWith(1000, ""), closeWith(1000, ""))
	add("7.1.3", saw(one), closeWith(1000, ""), frame(0x89, ""))
	add("7.1.4", saw(one), closeWith(1000, ""), frame(0x81, "late"))
	add("7.1.5", saw(one), frame(0x01, "fragment1"), closeWith(1000, ""), frame(0x80, "fragment2"))
	add("7.3.1", saw("close"), frame(0x88, ""))
	add("7.3.2", saw("broken"), frame(0x88, "a"))
	add("7.3.3", saw(one), closeWith(1000, ""))
	add("7.3.4", saw(describe(Event{Kind: Close, Data: []byte("\x03\xe8Hello World!")})), closeWith(1000, "Hello World!"))
	long := strings.Repeat("*", 123)
	add("7.3.5", saw(describe(Event{Kind: Close, Data: []byte("\x03\xe8" + long)})), closeWith(1000, long))
	add("7.3.6", saw("broken"), closeWith(1000, long+"*"))
	add("7.5.1", saw(describe(Event{Kind: Close, Data: []byte("\x03\xe8" + bad)})), closeWith(1000, bad)) // the gateway answers 1007
	for i, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		data := []byte{byte(code >> 8), byte(code)}
		add(fmt.Sprint("7.7.", i+1), saw(describe(Event{Kind: Close, Data: data})), closeWith(code, ""))
	}
	for i, code := range []uint16{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		add(fmt.Sprint("7.9.", i+1), saw("broken"), closeWith(code, ""))
	}
	for i, code := range []uint16{5000, 65535} {
		add(fmt.Sprint("7.13.", i+1), saw("broken"), closeWith(code, ""))
	}

	// 9: large messages, whole and in fragments. Up to 1 MB: the rest is the same.
	for i, n := range []int{64 << 10, 256 << 10, 1 << 20} {
		s := strings.Repeat("*", n)
		add(fmt.Sprint("9.1.", i+1), saw(text(s)), frame(0x81, s))
		add(fmt.Sprint("9.2.", i+1), saw(bin(s)), frame(0x82, s))
	}
	mega := strings.Repeat("*", 1<<20)
	for i, size := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		add(fmt.Sprint("9.3.", i+1), saw(text(mega)), fragments(1, mega, size))
		add(fmt.Sprint("9.4.", i+1), saw(bin(mega)), fragments(2, mega, size))
	}

	// 10: a message that the suite's own library fragments.
	s := strings.Repeat("*", 65536)
	add("10.1.1", saw(text(s)), fragments(1, s, 1300))
	return cases
}

// fragments is a message in frames of the given size.
func fragments(op byte, s string, size int) (all []byte) {
	for len(s) > size {
		all = append(all, frame(op, s[:size])...)
		s, op = s[size:], opContinuation
	}
	return append(all, frame(0x80|op, s)...)
}

func TestAutobahn(t *testing.T) {
	cases := autobahn()
	t.Logf("%d cases", len(cases))
	for _, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			cuts := map[string]func(int) int{"whole": whole, "byte by byte": single, "chopped": func(left int) int { return 1 + r.IntN(min(left, 4000)) }}
			if len(c.send) > 1<<17 {
				delete(cuts, "byte by byte") // the others take long enough
			}
			for name, cut := range cuts {
				if got := parse(c.send, autobahnLimits, cut); !slices.Equal(got, c.want) {
					t.Errorf("%s: got %.200q, want %.200q", name, got, c.want)
				}
			}
			if len(c.send) > 1<<17 {
				return
			}
			if got := reference(t, c.send, autobahnLimits); !slices.Equal(got, c.want) {
				t.Errorf("package websocket: got %.200q, want %.200q", got, c.want)
			}
		})
	}
}
