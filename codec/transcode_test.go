package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// normal turns a decoded value, from either library, into one that can be compared: objects and arrays
// as they are, strings with what encoding/json would read, numbers as exact fractions.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = normal(e)
		}
		return m
	case []any:
		a := make([]any, len(v))
		for i, e := range v {
			a[i] = normal(e)
		}
		return a
	case json.Number:
		return number(string(v))
	case float64:
		return number(string(mustJSON(v)))
	case float32:
		return number(string(mustJSON(v)))
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		return number(fmt.Sprint(v))
	case []byte, time.Time:
		var s string
		_ = json.Unmarshal(mustJSON(v), &s)
		return s
	}
	return v
}

// number is s as 64 bits hold it: an integer exactly, anything else as a float64.
func number(s string) any {
	if i, ok := new(big.Int).SetString(s, 10); ok && (i.IsInt64() || i.IsUint64()) && s != "-0" {
		return i.String()
	}
	f, _ := json.Number(s).Float64()
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 && (f != 0 || !math.Signbit(f)) {
		return fmt.Sprint(int64(f)) // 3.0 is 3
	}
	if f == math.Trunc(f) && f >= 1<<63 && f < 1<<64 {
		return fmt.Sprint(uint64(f))
	}
	return f
}

func mustJSON(v any) []byte {
	b, err := AppendJSON(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

func parseJSON(t *testing.T, b []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return normal(v)
}

func parseMsgPack(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := MsgPack.Decode(b, &v); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return normal(v)
}

// sameFromJSON transcodes text both ways and compares what the two libraries read.
func sameFromJSON(t *testing.T, text []byte) {
	t.Helper()
	want := parseJSON(t, text)
	packed, err := AppendMsgPackFromJSON(nil, text, Limits{})
	if err != nil {
		if !errors.Is(err, ErrNumber) {
			t.Fatalf("%q: %v", text, err)
		}
		return
	}
	if got := parseMsgPack(t, packed); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q as MessagePack %x is %v, want %v", text, packed, got, want)
	}
	back, err := AppendJSONFromMsgPack(nil, packed, Limits{Output: -1})
	if err != nil {
		t.Fatalf("%q, %x: %v", text, packed, err)
	}
	if got := parseJSON(t, back); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q came back as %q", text, back)
	}
	again, err := AppendMsgPackFromJSON(nil, back, Limits{})
	if err != nil || len(again) > len(packed) {
		t.Fatalf("%q: the second time %x, %v, the first %x", text, again, err, packed)
	}
}

var documents = []string{
	`null`, ` [ ] `, "{\n}", `[[],{},[[]]]`, `{"a":{"b":{"c":[1,2,{"d":null}]}},"a":2}`,
	`[0,-0,-1,1e0,1.0,0.1,-1.5e-7,1E+21,123456789012345678901234567890,9007199254740993,-9223372036854775809,18446744073709551616]`,
	`["\ud83d\ude00","\ud83d","\ud83d\u0041","\ude00\ud83d","\ud83d\\u0041","\\\"\/\b\f\n\r\t","\u0000\u2028\u2029 é"]`,
	`{"\u0061":"` + strings.Repeat(`\n`, 31) + `","b":"` + strings.Repeat(`\n`, 32) + `","c":"` + strings.Repeat(`\u0041`, 256) + `"}`,
	`{"` + strings.Repeat("k", 300) + `":"` + strings.Repeat("v", 70_000) + `"}`,
	"[" + strings.Repeat("[1,2,3],", 15) + "0]", "[" + strings.Repeat("[1,2,3],", 70) + "0]",
	"[" + strings.Repeat("1,", 60_000) + strings.Repeat("{},", 5_000) + "0]",
	strings.Repeat(`{"a":[`, 32) + strings.Repeat(`]}`, 32),
}

func TestTranscodeFromJSON(t *testing.T) {
	for _, text := range documents {
		sameFromJSON(t, []byte(text))
	}
}

// TestTranscodeMany makes every container length around the borders of its heads.
func TestTranscodeMany(t *testing.T) {
	for _, n := range []int{0, 1, 14, 15, 16, 17, 255, 256, 65_534, 65_535} {
		array := make([]any, n)
		object := make(map[string]any, n)
		for i := range n {
			array[i], object[fmt.Sprint(i)] = i, i
		}
		for _, v := range []any{array, object, strings.Repeat("é", n/2)} {
			packed, err := MsgPack.Append(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := AppendMsgPackFromJSON([]byte("kept"), mustJSON(v), Limits{})
			if err != nil || string(got[:4]) != "kept" || !bytes.Equal(got[4:], packed) {
				t.Errorf("%T of %d: %.40x, %v, want %.40x", v, n, got, err, packed)
			}
		}
	}
	long := []byte(`"` + strings.Repeat("a", 65_536) + `"`)
	if got, err := AppendMsgPackFromJSON(nil, long, Limits{}); err != nil || string(got[:5]) != "\xdb\x00\x01\x00\x00" {
		t.Errorf("str 32: %x, %v", got[:5], err)
	}
	wide := []byte(jsonArray("0", 70_000))
	if got, err := AppendMsgPackFromJSON(nil, wide, Limits{Elements: -1}); err != nil || string(got[:5]) != "\xdd\x00\x01\x11\x70" {
		t.Errorf("array 32: %x, %v", got[:5], err)
	}
}

// TestTranscodeToJSON compares byte for byte with what encoding/json makes of the same Go value.
func TestTranscodeToJSON(t *testing.T) {
	runes := make([]rune, 0, 0x3000)
	for r := rune(0); r < 0x3000; r++ {
		runes = append(runes, r)
	}
	at := time.Date(2026, 11, 23, 12, 30, 0, 0, time.UTC)
	for _, v := range []any{
		string(runes), "\u2027\u2028\u2029\u202a", "<>&", []byte("bytes\x00\xff"), []byte{},
		float32(0.1), float32(1e-7), float32(3e21), 1e-6, 9.99e-7, 1e20, 1e21, 1.7976931348623157e308, 5e-324, -0.5,
		at, at.Add(time.Nanosecond), at.Add(120 * time.Millisecond), at.AddDate(500, 0, 0), at.AddDate(-2000, 0, 0),
		map[string]any{"a": []any{nil, true, "b", int64(math.MinInt64), uint64(math.MaxUint64)}, "b": map[string]any{}},
	} {
		packed, err := MsgPack.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendJSONFromMsgPack([]byte("kept"), packed, Limits{})
		if want := "kept" + string(mustJSON(v)); err != nil || string(got) != want {
			t.Errorf("%T: got %.200q, %v\nwant %.200q", v, got, err, want)
		}
	}
}

func TestTranscodeOutputLimit(t *testing.T) {
	controls := append([]byte("\xda\x03\xe8"), make([]byte, 1000)...) // six times as long in JSON
	for limit, want := range map[int]error{6002: nil, 6001: ErrTooLarge} {
		got, err := AppendJSONFromMsgPack([]byte("kept"), controls, Limits{Output: limit})
		if !errors.Is(err, want) || want != nil && string(got) != "kept" {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	empty := append([]byte("\xdc\x03\xe8"), bytes.Repeat([]byte{0x80}, 1000)...)
	for limit, want := range map[int]error{3001: nil, 3000: ErrTooLarge} {
		if _, err := AppendJSONFromMsgPack(nil, empty, Limits{Output: limit}); !errors.Is(err, want) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	block := AppendLZ4(nil, controls)
	if _, err := AppendJSONFromMsgPack(nil, block, Limits{Output: 1003}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a block that grows when transcoded: %v", err)
	}
}

func FuzzTranscode(f *testing.F) {
	for _, text := range documents {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if CheckJSON(text, Limits{}) == nil {
			sameFromJSON(t, text)
		}
	})
}

// FuzzTranscodeMsgPack: what comes out of strangers' MessagePack is JSON of the same value.
func FuzzTranscodeMsgPack(f *testing.F) {
	addVectors(f, "msgpack")
	f.Fuzz(func(t *testing.T, packed []byte) {
		text, err := AppendJSONFromMsgPack(nil, packed, Limits{})
		if err != nil {
			if CheckMsgPack(packed, Limits{}) == nil && !errors.Is(err, ErrNumber) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("%x: %v", packed, err)
			}
			return
		}
		if !utf8.Valid(text) {
			t.Fatalf("%x: %q is not UTF-8", packed, text)
		}
		got := parseJSON(t, text)
		if CheckMsgPack(packed, Limits{}) == nil { // no blocks
			if want := parseMsgPack(t, packed); !reflect.DeepEqual(got, want) {
				t.Fatalf("%x: got %v, want %v", packed, got, want)
			}
		}
	})
}
