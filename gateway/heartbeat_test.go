package gateway

import (
	"encoding/json"
	"testing"

	"github.com/gatehouse-go/gatehouse/codec"
)

func TestPlainBeat(t *testing.T) {
	for message, want := range map[string]beat{
		`{"op":1,"d":251}`:                {seq: 251},
		`{"d":0,"op":1}`:                  {},
		`{"op":1,"d":null}`:               {none: true},
		" {\t\"op\" : 1 ,\n \"d\": 7 }\r": {seq: 7},
	} {
		if got, ok := plainBeat([]byte(message)); !ok || got != want {
			t.Errorf("%s: %+v, %v, want %+v", message, got, ok, want)
		}
	}
	for _, message := range []string{
		``, `{`, `{}`, `{"op":1}`, `{"op":1,"d":1`, `{"op":1,"d":1}}`, `{"op":1,"d":1}x`, `{"op":2,"d":1}`, `{"op":null,"d":1}`, `{"op":1,"op":1}`,
		`{"op":1,"d":01}`, `{"op":1,"d":1.0}`, `{"op":1,"d":-1}`, `{"op":1,"d":1e3}`, `{"op":1,"d":1234567890123456}`, `{"op":1,"d":"1"}`, `{"op":1,"d":}`,
		`{"op":1,"d":1,"t":null}`, `{"Op":1,"d":1}`, `["op",1]`, `{"op":1,,"d":1}`, `{"op":11,"d":1}`,
	} {
		if b, ok := plainBeat([]byte(message)); ok {
			t.Errorf("%s: %+v", message, b)
		}
	}
}

// FuzzPlainBeat compares with decoding: what is taken is what that gives.
func FuzzPlainBeat(f *testing.F) {
	f.Add([]byte(`{"op":1,"d":251}`))
	f.Add([]byte(`{ "d" : null , "op" : 1 }`))
	f.Add([]byte(`{"op":1,"d":01}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		got, ok := plainBeat(message)
		if !ok {
			return
		}
		if err := codec.CheckJSON(message, codec.Limits{}); err != nil {
			t.Fatalf("taken, and %v", err)
		}
		var raw struct {
			Op int             `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if err := json.Unmarshal(message, &raw); err != nil || raw.Op != int(opHeartbeat) {
			t.Fatalf("taken, and is op %d, %v", raw.Op, err)
		}
		env := envelope{op: opHeartbeat, data: raw.D}
		if want, err := env.beat(); err != nil || got != want {
			t.Fatalf("taken as %+v, is %+v, %v", got, want, err)
		}
	})
}
