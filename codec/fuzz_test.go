package codec

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
)

// addVectors seeds a fuzz target with the golden vectors of the formats that begin with prefix.
func addVectors(f *testing.F, prefix string) {
	for _, v := range vectors() {
		if data, err := hex.DecodeString(v.Hex); err == nil && strings.HasPrefix(v.Format, prefix) && len(data) < 2000 {
			f.Add(data)
		}
	}
}

// FuzzMsgPackPreflight compares the check with the library: what is accepted, the library skips and
// decodes, to the last byte; what is malformed, cut short or followed by more, the library's skipper
// finds so too.
func FuzzMsgPackPreflight(f *testing.F) {
	addVectors(f, "msgpack")
	f.Fuzz(func(t *testing.T, data []byte) {
		err := CheckMsgPack(data, Limits{})
		in := bytes.NewReader(data)
		skip := msgpack.NewDecoder(in).Skip()
		switch {
		case err == nil:
			if skip != nil || in.Len() != 0 {
				t.Fatalf("%x is accepted; the library: %v, %d bytes left", data, skip, in.Len())
			}
			var v any
			if err := MsgPack.Decode(data, &v); err != nil {
				t.Fatalf("%x is accepted and not decoded: %v", data, err)
			}
		case errors.Is(err, ErrSyntax), errors.Is(err, ErrTruncated):
			if skip == nil {
				t.Fatalf("%x: %v; the library skips it", data, err)
			}
		case errors.Is(err, ErrTrailing):
			if skip != nil || in.Len() == 0 {
				t.Fatalf("%x: %v; the library: %v, %d bytes left", data, err, skip, in.Len())
			}
		}
		for _, v := range []any{new(map[string]any), new([]map[string]int), new(vector), new([]string), new(Raw)} {
			_ = MsgPack.Decode(data, v) // must return
		}
	})
}

// FuzzJSONPreflight: without limits, the check accepts what encoding/json calls valid and is UTF-8.
func FuzzJSONPreflight(f *testing.F) {
	addVectors(f, "json")
	for _, text := range documents {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want := json.Valid(data) && utf8.Valid(data)
		err := CheckJSON(data, unlimited)
		if (err == nil) != want && !errors.Is(err, ErrNumber) {
			t.Fatalf("%q: %v, want valid %v", data, err, want)
		}
		if want && errors.Is(err, ErrNumber) == (json.Unmarshal(data, new(any)) == nil) {
			t.Fatalf("%q: %v, but encoding/json disagrees", data, err)
		}
		var typed *Error
		if err != nil && (!errors.As(err, &typed) || typed.Offset < 0 || typed.Offset > len(data)) {
			t.Fatalf("%q: %v", data, err)
		}
		if err == nil {
			return
		}
		if errors.Is(err, ErrUTF8) && utf8.Valid(data) {
			t.Fatalf("%q is UTF-8", data)
		}
	})
}

// FuzzLZ4: bytes decode or are refused, and what is compressed comes back.
func FuzzLZ4(f *testing.F) {
	addVectors(f, "msgpack+lz4")
	f.Add(bytes.Repeat([]byte("\x91\xa5hello"), 100))
	c := LZ4(MsgPack)
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		_ = c.Decode(data, &v)
		packed := AppendLZ4([]byte("kept"), data)
		if string(packed[:4]) != "kept" || len(packed)-4 > len(data) {
			t.Fatalf("%d bytes became %d: %x", len(data), len(packed)-4, packed)
		}
		if packed = packed[4:]; bytes.Equal(packed, data) {
			return
		}
		k, n, i := token(packed, 0)
		if k != kindExt || packed[i] != extBlock || int(n) != len(packed)-i-1 || packed[i+1] != 0xd2 {
			t.Fatalf("not an Lz4Block: %x", packed)
		}
		back, err := appendBlock([]byte("kept"), packed[i+1:], nil)
		if err != nil || !bytes.Equal(back, append([]byte("kept"), data...)) {
			t.Fatalf("came back as %x, %v", back, err)
		}
	})
}

// FuzzMergePatch: the patch between two values turns one into the other, or does not exist.
func FuzzMergePatch(f *testing.F) {
	for _, tc := range rfc7386 {
		f.Add([]byte(tc.original), []byte(tc.result))
		f.Add([]byte(tc.original), []byte(tc.patch))
	}
	f.Fuzz(func(t *testing.T, x, y []byte) {
		var a, b any
		if JSON.Decode(x, &a) != nil || JSON.Decode(y, &b) != nil {
			return
		}
		checkDiff(t, a, b)
	})
}

// FuzzDictionary: bytes decode or are refused, and what is compressed against any dictionary comes back,
// as the specification has it.
func FuzzDictionary(f *testing.F) {
	body := []byte("\x83\xa4kind\xa4note\xa2id\xb31310598267482374144\xa9timestamp\xce\x00\x01\x02\x03")
	f.Add(body, body)
	f.Add([]byte("0"), bytes.Repeat([]byte("0"), 300))
	f.Add(bytes.Repeat([]byte("abc"), 100), bytes.Repeat([]byte("cab"), 100))
	f.Add(everyFourDigits(), body)
	f.Add(body, dictionary(f, body).AppendLZ4(nil, body))
	f.Fuzz(func(t *testing.T, data, body []byte) {
		d, err := NewDictionary("fuzz", data)
		if err != nil {
			if len(data) > 0 && len(data) <= MaxDictionary {
				t.Fatal(err)
			}
			return
		}
		var v any
		_ = d.LZ4(MsgPack).Decode(body, &v) // must return
		checkBlock(t, d, body)
	})
}
