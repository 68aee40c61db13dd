package nats

import (
	"fmt"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway"
)

func TestTopicNames(t *testing.T) {
	for topic, want := range map[string]string{
		"": "%", "guild:7": "guild:7", "a.b": "a%2Eb", "a b*>": "a%20b%2A%3E", "%": "%25", "ü\x00": "%C3%BC%00",
	} {
		if got := escape(topic); got != want {
			t.Errorf("%q is %q, want %q", topic, got, want)
		}
		if got, ok := unescape(want); got != topic || !ok {
			t.Errorf("%q is %q, %v, want %q", want, got, ok, topic)
		}
	}
	for _, bad := range []string{"", "%1", "a%", "%zz", "a%%41"} {
		if got, ok := unescape(bad); ok {
			t.Errorf("%q is %q", bad, got)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(encodeRecord(gateway.Record{Type: "T", Key: "k", Data: []byte("{}"), Intent: 1 << 40, Class: gateway.Volatile}))
	f.Add([]byte{recordVersion, 0, 0, 200, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, ok := decodeRecord(b)
		if !ok {
			return
		}
		again, ok := decodeRecord(encodeRecord(rec))
		if !ok || fmt.Sprint(again) != fmt.Sprint(rec) {
			t.Errorf("%+v became %+v", rec, again)
		}
	})
}

func FuzzSession(f *testing.F) {
	f.Add(encodeSession(session{StoredSession: gateway.StoredSession{User: "ann", Node: "n", Data: []byte("1")}, by: "n"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeSession("id", b)
		if err != nil {
			return
		}
		again, err := decodeSession("id", encodeSession(s))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(s) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}
