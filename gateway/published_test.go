package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/codec"
)

// Every frame that goes out decodes to the envelope that it is of, in every
// form, around the lengths where a frame's header changes.
func TestDispatchFrames(t *testing.T) {
	for _, n := range []int{0, 1, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 255, 256, 65_470, 65_480, 65_490, 65_500, 65_510, 65_520, 65_535, 65_536, 100_000} {
		data, _ := json.Marshal(strings.Repeat("x", n))
		kind := strings.Repeat("T", 1+n%100)
		p := &published{Record: Record{Type: kind, Data: data}}
		for _, f := range []*form{formJSON, formMsgPack, formMsgPackLZ4} {
			for _, seq := range []uint64{1, 9, 10, 1<<32 - 1, 1 << 32, 1 << 52} {
				checkFrame(t, append(appendHead([]byte("before"), f, seq, len(p.tail(f))), p.tail(f)...), f, fmt.Sprintf(`{"s":%d,"op":0,"t":%q,"d":%s}`, seq, kind, data))
			}
			checkFrame(t, appendMessage([]byte("before"), f, opReply, data), f, fmt.Sprintf(`{"s":null,"op":101,"t":null,"d":%s}`, data))
		}
	}
}

func checkFrame(t *testing.T, b []byte, f *form, want string) {
	t.Helper()
	c := &rawConn{t: t, r: bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("before"))))}
	first, payload, err := c.read()
	if err != nil || c.r.Buffered() > 0 {
		t.Fatalf("%d bytes are left: %v", c.r.Buffered(), err)
	}
	if (first == frameBinary) != f.msgpack {
		t.Fatalf("form %+v goes out in a frame %x", f, first)
	}
	if f.msgpack {
		if payload, err = codec.AppendJSONFromMsgPack(nil, payload, codec.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	if string(payload) != want {
		t.Fatalf("form %+v: got %.80s, want %.80s", f, payload, want)
	}
}

func TestSealRefuses(t *testing.T) {
	for _, ev := range []Event{{}, {Type: `A"B`}, {Type: "A\nB"}, {Type: "Ä"}, {Type: `A\`}, {Type: "X", Data: func() {}}, {Type: "X", Data: codec.Raw{JSON: []byte("{")}}} {
		if rec, err := Seal("t", ev); err == nil {
			t.Errorf("%q is sealed: %s", ev.Type, rec.Data)
		}
	}
	rec, err := Seal("t", Event{Type: "X", Data: codec.Raw{MsgPack: []byte{0x81, 0xa1, 'a', 0x01}}})
	if err != nil || string(rec.Data) != `{"a":1}` {
		t.Errorf("MessagePack from the application becomes %s, %v", rec.Data, err)
	}
}

// What a stranger sends is an envelope or an error, and an Identify, a
// presence or a sequence made of it is within its bounds.
func FuzzInbound(f *testing.F) {
	for _, inputs := range malformedInputs() {
		for _, in := range inputs {
			if len(in.send) == 1 && len(in.send[0]) < 200 {
				f.Add(in.send[0])
			}
		}
	}
	f.Add([]byte(`{"op":2,"d":{"token":"Bot a","properties":{"$browser":"x"},"intents":513,"shard":[0,1],"large_threshold":50.0,"presence":{"status":"dnd","activities":[{}]}}}`))
	f.Add([]byte("\x82\xa2op\x02\xa1d\x81\xa5token\xa1a"))
	f.Fuzz(func(t *testing.T, message []byte) {
		for _, form := range []*form{formJSON, formMsgPack} {
			env, err := decodeEnvelope(form, message, codec.Limits{})
			if err != nil {
				continue
			}
			if env.op < 0 {
				t.Fatalf("op %d", env.op)
			}
			id, err := decodeIdentify(env.data)
			if err == nil && (id.Intents > maxIntents || id.Shard != nil && id.Shard[0] >= id.Shard[1] || id.LargeThreshold < 0) {
				t.Fatalf("Identify is %+v", id)
			}
			if p := decodePresence(env.data); p != nil && p.Activities != nil && !json.Valid(p.Activities) {
				t.Fatalf("activities are %s", p.Activities)
			}
		}
	})
}
