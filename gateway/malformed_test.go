package gateway

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// malformed is one way of sending what should not be sent.
type malformed struct {
	name    string
	send    [][]byte
	want    Code
	query   string // instead of ?v=10&encoding=json
	earlier bool   // before Identify; else the client has its READY
}

// malformedInputs lists them by class. Each must end in its close code, and
// another client on the same server must notice nothing.
func malformedInputs() map[string][]malformed {
	classes := map[string][]malformed{}
	add := func(class string, want Code, name string, frames ...[]byte) *malformed {
		classes[class] = append(classes[class], malformed{name: name, send: frames, want: want})
		return &classes[class][len(classes[class])-1]
	}

	for _, s := range []string{
		"", " ", "{", "}", "[", "nul", `{"op":1,}`, `{"op":1}{"op":1}`, `{"op":1} x`, `{'op':1}`, `{"op":01}`, `{"op":1,"d":"\x"}`,
		`{"op":1,"d":"` + "\n" + `"}`, `{"op":+1}`, `{"op":1e}`, `{"op":1,"d":NaN}`, `{op:1}`, "\x00", `{"op":1,"d":"\u12"}`,
	} {
		add("bad JSON", CloseDecode, fmt.Sprintf("%.20q", s), text(s))
	}
	for i, s := range []string{
		"\xc1", "\x81", "\x81\xa2op", "\xdc", "\xdd\x00", "\xde\x00", "\xd9\x05abc", "\xcf\x00\x00", "\x81\xa2op\x01\x00", "\x81\xc0\x01", "\x91", "\xc7\x05",
	} {
		m := add("bad MessagePack", CloseDecode, fmt.Sprintf("%d: %x", i, s), frame(0x80|wsBinary, []byte(s)))
		m.query = "?v=10&encoding=msgpack"
	}
	deep := func(open, shut string, n int) string { return strings.Repeat(open, n) + strings.Repeat(shut, n) }
	for name, b := range map[string]string{
		"array32 of 4 billion":      "\xdd\xff\xff\xff\xff",
		"map32 of 4 billion":        "\xdf\xff\xff\xff\xff",
		"bin32 of 4 GB":             "\xc6\xff\xff\xff\xff",
		"str32 of 4 GB":             "\xdb\xff\xff\xff\xff",
		"ext32 of 4 GB":             "\xc9\xff\xff\xff\xff\x63",
		"nested million arrays":     strings.Repeat("\xdd\x00\x0f\x42\x40", 200),
		"deep one-element arrays":   strings.Repeat("\x91", 4000) + "\xc0",
		"deep maps":                 strings.Repeat("\x81\xa1a", 1300) + "\xc0",
		"array16 in op 1":           "\x82\xa2op\x01\xa1d\xdc\xff\xff",
		"lz4 block of 2 GB":         "\x82\xa2op\x01\xa1d\xc7\x06\x63\xd2\x7f\xff\xff\xff\x00",
		"lz4 block, negative":       "\x82\xa2op\x01\xa1d\xc7\x06\x63\xd2\xff\xff\xff\xff\x00",
		"lz4 block that is garbage": "\x82\xa2op\x01\xa1d\xc7\x09\x63\xd2\x00\x00\x01\x00\xff\xff\xff\xff",
	} {
		m := add("bombs", CloseDecode, name, frame(0x80|wsBinary, []byte(b)))
		m.query = "?v=10&encoding=msgpack"
	}
	for name, s := range map[string]string{
		"deep arrays in JSON":  deep("[", "]", 2000),
		"deep objects in JSON": strings.Repeat(`{"a":`, 800) + "1" + strings.Repeat("}", 800),
	} {
		add("bombs", CloseDecode, name, text(s))
	}

	for _, op := range []int{0, 5, 7, 9, 10, 11, 12, 14, 50, 99, 100, 101, 255, 65536, 2147483647} {
		add("wrong opcodes", CloseUnknownOpcode, fmt.Sprint("op ", op), text(fmt.Sprintf(`{"op":%d,"d":null}`, op)))
	}
	for _, s := range []string{
		`null`, `1`, `"op"`, `[]`, `true`, `{}`, `{"op":null}`, `{"op":"1"}`, `{"op":{}}`, `{"op":1.5}`, `{"op":-1}`, `{"op":1e300}`, `{"op":[1]}`,
	} {
		add("wrong types", CloseDecode, s, text(s))
	}
	for _, s := range []string{
		`{"op":1,"d":"x"}`, `{"op":1,"d":{}}`, `{"op":1,"d":1.5}`, `{"op":1,"d":-1}`, `{"op":1,"d":[1]}`,
	} {
		add("wrong types", CloseUnknownOpcode, s, text(s))
	}
	add("wrong types", CloseUnknown, "a sequence from the future", text(`{"op":1,"d":999}`))
	for _, s := range []string{
		`{"op":2}`, `{"op":2,"d":[]}`, `{"op":2,"d":"x"}`, `{"op":2,"d":{"token":1}}`, `{"op":6,"d":[]}`, `{"op":6,"d":{"token":[]}}`,
	} {
		add("wrong types", CloseUnknownOpcode, s, text(s)).earlier = true
	}
	for s, code := range map[string]Code{
		`{"op":2,"d":{"token":""}}`:                                CloseAuthFailed,
		`{"op":2,"d":{"token":"refused"}}`:                         CloseAuthFailed,
		`{"op":2,"d":{"token":"a","intents":-1}}`:                  CloseInvalidIntents,
		`{"op":2,"d":{"token":"a","intents":1.5}}`:                 CloseInvalidIntents,
		`{"op":2,"d":{"token":"a","intents":1e30}}`:                CloseInvalidIntents,
		`{"op":2,"d":{"token":"a","shard":[1]}}`:                   CloseInvalidShard,
		`{"op":2,"d":{"token":"a","shard":[1,1]}}`:                 CloseInvalidShard,
		`{"op":2,"d":{"token":"a","shard":[0,0]}}`:                 CloseInvalidShard,
		`{"op":2,"d":{"token":"a","shard":[-1,2]}}`:                CloseInvalidShard,
		`{"op":2,"d":{"token":"a","shard":[0,1,2]}}`:               CloseInvalidShard,
		`{"op":2,"d":{"token":"a","intents":0,"shard":[0.5,2]}}`:   CloseInvalidShard,
		`{"op":2,"d":{"token":"a","intents":0,"shard":[0,9e99]}}`:  CloseInvalidShard,
		`{"op":2,"d":{"token":"Bot refused","properties":[1,2]}}`:  CloseAuthFailed,
		`{"op":2,"d":{"token":"Bearer refused","presence":12345}}`: CloseAuthFailed,
	} {
		add("bad Identify", code, s, text(s)).earlier = true
	}
	add("bad Identify", CloseAlreadyAuthenticated, "Identify twice", text(`{"op":2,"d":{"token":"a"}}`))
	add("bad Identify", CloseAlreadyAuthenticated, "Resume when signed in", text(`{"op":6,"d":{"token":"a","session_id":"x","seq":1}}`))
	for _, v := range []string{"1", "8", "11", "x", "10.0", "-10", "99999999999999999999"} {
		m := add("bad Identify", CloseInvalidVersion, "version "+v)
		m.query, m.earlier = "?v="+v, true
	}

	pad := func(n int) string { return `{"op":1,"d":null,"x":"` + strings.Repeat("a", n) + `"}` }
	for _, n := range []int{4097, 4098, 5000, 8192, 16384, 65535, 65536, 100_000, 1 << 20} {
		add("oversize", CloseDecode, fmt.Sprint(n, " bytes"), text(pad(n)))
	}
	add("oversize", CloseDecode, "in a deflated declaration", frameDeclaring(0x80|wsText, []byte(pad(4100)), 1<<40))
	add("oversize", CloseDecode, "declared as 2^62 bytes", frameDeclaring(0x80|wsText, []byte(pad(5000)), 1<<62))
	add("oversize", closeProtocol, "declared as 2^63 bytes", frameDeclaring(0x80|wsText, []byte("{}"), 1<<63))

	split := func(s string, size int) (frames []byte) {
		first := byte(wsText)
		for len(s) > size {
			frames = append(frames, frame(first, []byte(s[:size]))...)
			s, first = s[size:], wsContinuation
		}
		return append(frames, frame(0x80|first, []byte(s))...)
	}
	for _, size := range []int{1, 7, 125, 126, 1000, 4096} {
		add("fragments", CloseDecode, fmt.Sprintf("oversize in pieces of %d", size), split(pad(5000), size))
	}
	add("fragments", CloseDecode, "bad JSON in pieces", split("{op}", 1))
	add("fragments", closeProtocol, "a continuation of nothing", frame(0x80|wsContinuation, []byte("{}")))
	add("fragments", closeProtocol, "an unfinished continuation of nothing", frame(wsContinuation, []byte("{}")))
	add("fragments", closeProtocol, "a second beginning", frame(wsText, []byte("{")), frame(wsText, []byte("}")))
	add("fragments", closeProtocol, "a whole message inside another", frame(wsText, []byte("{")), text("{}"))
	add("fragments", closeProtocol, "a binary end of a text", frame(wsText, []byte("{")), frame(0x80|wsBinary, []byte("}")))
	add("fragments", closeProtocol, "a ping in pieces", frame(wsPing, []byte("a")), frame(0x80|wsContinuation, []byte("b")))
	add("fragments", closeProtocol, "a close in pieces", frame(wsClose, closePayload(1000, "")), frame(0x80|wsContinuation, nil))

	for _, s := range []string{
		`{"op":3,"d":{"status":"online"}}`, `{"op":3,"d":null}`, `{"op":4,"d":{}}`, `{"op":8,"d":{}}`, `{"op":8,"d":null}`, `{"op":3}`, `{"op":4}`, `{"op":8}`,
		`{"op":8,"d":{"guild_id":["1"],"query":"","limit":0}}`, `{"op":3,"d":{"status":"","activities":null}}`,
	} {
		add("before Identify", CloseNotAuthenticated, s, text(s)).earlier = true
	}
	m := add("before Identify", CloseNotAuthenticated, "a command", text(`{"op":100,"d":{"t":"X","d":{},"n":1}}`))
	m.query, m.earlier = "?ext=1", true

	for i, size := range []int{0, 1, 2, 10, 50, 100, 124, 125} {
		add("1,000 pings", CloseRateLimited, fmt.Sprintf("of %d bytes", size), bytes.Repeat(frame(0x80|wsPing, make([]byte, size)), 1000)).earlier = i%2 == 0
	}
	add("1,000 pings", CloseRateLimited, "inside a fragmented message", frame(wsText, []byte("{")), bytes.Repeat(frame(0x80|wsPing, nil), 1000))
	add("1,000 pings", CloseRateLimited, "with heartbeats", bytes.Repeat(append(frame(0x80|wsPing, nil), text(`{"op":1,"d":null}`)...), 500))
	add("1,000 pings", CloseRateLimited, "pongs nobody asked for", bytes.Repeat(frame(0x80|wsPong, []byte("x")), 1000))
	add("1,000 pings", CloseRateLimited, "heartbeats alone", bytes.Repeat(text(`{"op":1,"d":null}`), 1000))
	add("1,000 pings", CloseRateLimited, "messages", bytes.Repeat(text(`{"op":3,"d":{"status":"online"}}`), 1000))
	for _, size := range []int{126, 127, 1000, 65536} {
		add("1,000 pings", closeProtocol, fmt.Sprintf("one of %d bytes", size), frame(0x80|wsPing, make([]byte, size)))
	}

	for _, bad := range []string{
		"\xff", "\xc3\x28", "\xa0\xa1", "\xe2\x28\xa1", "\xe2\x82\x28", "\xf0\x28\x8c\xbc", "\xf0\x90\x28\xbc", "\xf8\xa1\xa1\xa1\xa1", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
	} {
		add("bad UTF-8", CloseDecode, fmt.Sprintf("%x in a string", bad), text(`{"op":1,"d":null,"x":"`+bad+`"}`))
	}
	add("bad UTF-8", CloseDecode, "in a key", text("{\"op\":1,\"\xff\":1}"))
	add("bad UTF-8", closeBadText, "in a close frame", frame(0x80|wsClose, closePayload(1000, "\xff\xfe")))

	for i := range 10 {
		payload := []byte(fmt.Sprintf(`{"op":1,"d":null,"i":%d}`, i))
		naked := append([]byte{0x80 | wsText, byte(len(payload))}, payload...)
		add("bad masks", closeProtocol, fmt.Sprint("none, ", i), naked)
	}
	add("bad masks", closeProtocol, "none, ping", []byte{0x80 | wsPing, 0})
	add("bad masks", closeProtocol, "none, close", []byte{0x80 | wsClose, 2, 3, 0xe8})
	add("bad masks", CloseDecode, "another key than was used", append([]byte{0x80 | wsText, 0x80 | 4, 1, 2, 3, 4}, `{}{}`...))
	for _, rsv := range []byte{0x40, 0x20, 0x10, 0x70} {
		add("bad masks", closeProtocol, fmt.Sprintf("reserved bits %x", rsv), frame(0x80|rsv|wsText, []byte(`{"op":1}`)))
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		add("bad masks", closeProtocol, fmt.Sprintf("reserved opcode %d", op), frame(0x80|op, nil))
	}

	for _, code := range []uint16{0, 1, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 65535} {
		add("bad close frames", closeProtocol, fmt.Sprint("code ", code), frame(0x80|wsClose, closePayload(code, "x")))
	}
	add("bad close frames", closeProtocol, "of one byte", frame(0x80|wsClose, []byte{3}))
	add("bad close frames", closeProtocol, "of 126 bytes", frame(0x80|wsClose, closePayload(1000, strings.Repeat("x", 124))))
	add("bad close frames", closeProtocol, "of 64 KB", frame(0x80|wsClose, closePayload(1000, strings.Repeat("x", 1<<16))))
	return classes
}

// TestMalformedInput sends every malformed input and looks at the close code,
// while a bystander on the same server gets an event after each of them.
func TestMalformedInput(t *testing.T) {
	for _, poller := range []bool{false, true} {
		t.Run(fmt.Sprintf("poller=%v", poller), func(t *testing.T) { malformedInput(t, poller) })
	}
}

func malformedInput(t *testing.T, poller bool) {
	var logged atomic.Int64
	g, url := testGateway(t, func(o *Options) {
		o.Poller = poller
		o.Ready = func(ctx context.Context, s *Session) (any, error) { return nil, s.Subscribe(ctx, "all") }
		o.OnDisconnect = func(ConnInfo, *Session, *CloseError) { logged.Add(1) }
	})
	bystander := login(t, url, "bystander")
	n := 0
	for class, inputs := range malformedInputs() {
		if len(inputs) < 10 {
			t.Errorf("class %q has %d inputs, want at least 10", class, len(inputs))
		}
		for _, in := range inputs {
			t.Run(class+"/"+in.name, func(t *testing.T) {
				sendMalformed(t, url, in)
				n++
				if err := g.Publish(t.Context(), "all", Event{Type: "TICK", Data: n}); err != nil {
					t.Fatal(err)
				}
				if m := bystander.want(0, "TICK"); string(m.D) != fmt.Sprint(n) || *m.S != uint64(n)+1 {
					t.Fatalf("the bystander got %v", m)
				}
			})
		}
	}
	t.Logf("%d inputs", n)
	eventually(t, "all connections but one have ended", func() bool { return g.Stats().Connections == 1 })
	if logged.Load() != int64(n) {
		t.Errorf("OnDisconnect was called %d times, want %d", logged.Load(), n)
	}
}

func sendMalformed(t *testing.T, url string, in malformed) {
	query := "?v=10&encoding=json"
	if in.query != "" {
		query = in.query
	}
	c := dialRaw(t, url+query)
	if !in.earlier {
		id := `{"op":2,"d":{"token":"mallory","intents":0}}`
		kind := byte(wsText)
		data := []byte(id)
		if strings.Contains(query, "msgpack") {
			kind, data = wsBinary, formMsgPack.appendBody(nil, data)
		}
		c.write(frame(0x80|kind, data))
		c.until("READY")
	}
	began := time.Now()
	go func() {
		for _, b := range in.send {
			c.write(b)
		}
	}()
	if got := c.closeCode(); got != in.want {
		t.Errorf("closed with %d, want %d", got, in.want)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
}
