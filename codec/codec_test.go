package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
)

type author struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Bot      bool   `json:"bot,omitempty"`
}

type message struct {
	ID       string     `json:"id"`
	Channel  string     `json:"channel_id"`
	Author   author     `json:"author"`
	Content  string     `json:"content"`
	Edited   *time.Time `json:"edited_timestamp"`
	TTS      bool       `json:"tts"`
	Mentions []author   `json:"mentions"`
	Type     int        `json:"type"`
	Flags    uint64     `json:"flags"`
	Weight   float64    `json:"weight"`
	Secret   string     `json:"-"`
}

func sample() message {
	edited := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	return message{
		ID: "1310000000000000001", Channel: "1310000000000000000", Content: "<b> & \"hello\" — ü 😀",
		Author: author{ID: "1", Username: "ada"}, Edited: &edited, Type: -19, Flags: math.MaxUint64,
		Mentions: []author{{ID: "2", Username: strings.Repeat("grace ", 60), Bot: true}}, Weight: 0.25,
	}
}

var codecs = []codec.Codec{codec.JSON, codec.MsgPack, codec.LZ4(codec.MsgPack)}

func TestRoundTrip(t *testing.T) {
	for _, c := range codecs {
		t.Run(c.Name(), func(t *testing.T) {
			want := sample()
			data, err := c.Append([]byte("prefix"), want)
			if err != nil || string(data[:6]) != "prefix" {
				t.Fatalf("got %q, %v", data, err)
			}
			var got message
			if err := c.Decode(data[6:], &got); err != nil {
				t.Fatal(err)
			}
			if !got.Edited.Equal(*want.Edited) {
				t.Errorf("time is %v, want %v", got.Edited, want.Edited)
			}
			got.Edited = want.Edited
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			again, err := c.Append([]byte("prefix"), want)
			if err != nil || string(again) != string(data) {
				t.Errorf("the second encoding differs: %q, %v", again, err)
			}
		})
	}
}

// Pooled encoders, decoders and buffers in many hands; of use with -race.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				c := codecs[(i+j)%len(codecs)]
				in := author{ID: strings.Repeat(string(rune('a'+i)), 300), Username: "x"}
				data, err := c.Append(nil, in)
				var out author
				if err == nil {
					err = c.Decode(data, &out)
				}
				if err != nil || out != in {
					t.Errorf("%s: got %v, %v", c.Name(), out, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNames(t *testing.T) {
	for i, want := range []string{"json", "msgpack", "msgpack+lz4"} {
		if got := codecs[i].Name(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAppendLeavesDstOnError(t *testing.T) {
	for _, c := range codecs {
		for name, v := range map[string]any{
			"channel":         map[string]any{"a": 1, "b": make(chan int)},
			"raw JSON":        codec.Raw{JSON: []byte(`{"a":`)},
			"raw MessagePack": codec.Raw{MsgPack: []byte{0xdd, 0xff, 0xff, 0xff, 0xff}},
			"nested raw":      map[string]any{"a": codec.Raw{JSON: []byte(`1 2`)}},
		} {
			dst := append(make([]byte, 0, 64), "kept"...)
			got, err := c.Append(dst, v)
			var typed *codec.Error
			if !errors.As(err, &typed) {
				t.Errorf("%s, %s: error %v is not typed", c.Name(), name, err)
			}
			if string(got) != "kept" {
				t.Errorf("%s, %s: dst became %q", c.Name(), name, got)
			}
			if ok, err := c.Append(nil, "next"); err != nil || len(ok) == 0 {
				t.Errorf("%s, %s: the next Append fails: %v", c.Name(), name, err)
			}
		}
	}
}

func TestAppendJSONIsEncodingJSON(t *testing.T) {
	want, _ := json.Marshal(sample())
	got, err := codec.AppendJSON(nil, sample())
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(want))
	if string(got) != plain {
		t.Errorf("got  %s\nwant %s", got, plain)
	}
}

func TestDecodeMisfit(t *testing.T) {
	type withTime struct {
		At time.Time `json:"at"`
	}
	type withMethods struct {
		Err error            `json:"err"`
		S   interface{ M() } `json:"s"`
	}
	for _, tc := range []struct {
		name string
		c    codec.Codec
		data string
		v    any
	}{
		{"string for a number", codec.JSON, `{"type":"x"}`, new(message)},
		{"string for a number", codec.MsgPack, "\x81\xa4type\xa1x", new(message)},
		{"nil for a time, on which the library panics", codec.MsgPack, "\x81\xa2at\xc0", new(withTime)},
		{"string for an interface, on which the library panics", codec.MsgPack, "\x81\xa1s\xa1x", new(withMethods)},
		{"number for an error, on which the library panics", codec.MsgPack, "\x81\xa3err\x01", new(withMethods)},
		{"timestamp for a map", codec.MsgPack, "\xd6\xff\x81\xa1\x61\x01", new(map[string]any)},
		{"not a pointer", codec.MsgPack, "\x01", 1},
	} {
		err := tc.c.Decode([]byte(tc.data), tc.v)
		var typed *codec.Error
		if !errors.Is(err, codec.ErrValue) || !errors.As(err, &typed) {
			t.Errorf("%s, %s: got %v", tc.c.Name(), tc.name, err)
		}
	}
	var wrong *json.UnmarshalTypeError
	if err := codec.JSON.Decode([]byte(`{"type":"x"}`), new(message)); !errors.As(err, &wrong) || wrong.Field != "type" {
		t.Errorf("the library's own error is lost: %v", err)
	}
}

// A decoder that failed half way must not leave anything to the next message.
func TestDecodeAfterError(t *testing.T) {
	for range 100 {
		var r struct {
			A codec.Raw `json:"a"`
			B int       `json:"b"`
		}
		if err := codec.MsgPack.Decode([]byte("\x82\xa1a\x01\xa1b\xa1x"), &r); !errors.Is(err, codec.ErrValue) {
			t.Fatal(err)
		}
		var s string
		if err := codec.MsgPack.Decode([]byte("\xa5hello"), &s); err != nil || s != "hello" {
			t.Fatalf("got %q, %v", s, err)
		}
	}
}

func TestDecodeAnyTwice(t *testing.T) {
	for _, c := range codecs {
		var v any
		for _, s := range []string{"one", "two"} {
			data, _ := c.Append(nil, s)
			if err := c.Decode(data, &v); err != nil || v != s {
				t.Errorf("%s: got %v, %v", c.Name(), v, err)
			}
		}
	}
}

// Decoded values must not change when the caller reuses the input.
func TestDecodeKeepsNoReference(t *testing.T) {
	type value struct {
		S string    `json:"s"`
		B []byte    `json:"b"`
		R codec.Raw `json:"r"`
	}
	for _, c := range codecs {
		in := value{S: strings.Repeat("s", 400), B: []byte("bytes"), R: codec.Raw{JSON: []byte(`"raw"`)}}
		data, err := c.Append(nil, in)
		if err != nil {
			t.Fatal(err)
		}
		var got value
		if err := c.Decode(data, &got); err != nil {
			t.Fatal(err)
		}
		clear(data)
		back, err := codec.JSON.Append(nil, got.R)
		if err != nil || got.S != in.S || string(got.B) != "bytes" || string(back) != `"raw"` {
			t.Errorf("%s: got %+v, raw %s, %v", c.Name(), got, back, err)
		}
	}
}

func TestWithLimits(t *testing.T) {
	deep := []any{[]any{[]any{1}}}
	for _, c := range codecs {
		data, _ := c.Append(nil, deep)
		var v any
		if err := c.Decode(data, &v); err != nil {
			t.Error(err)
		}
		if err := codec.WithLimits(c, codec.Limits{Depth: 2}).Decode(data, &v); !errors.Is(err, codec.ErrDepth) {
			t.Errorf("%s: got %v", c.Name(), err)
		}
	}
	for limit, want := range map[int]error{1003: nil, 1002: codec.ErrTooLarge} { // the string and its head
		strict := codec.LZ4(codec.WithLimits(codec.MsgPack, codec.Limits{Output: limit}))
		data, _ := strict.Append(nil, strings.Repeat("a", 1000))
		if err := strict.Decode(data, new(string)); !errors.Is(err, want) {
			t.Errorf("LZ4 within the output limit %d of what it compresses: %v", limit, err)
		}
	}
	off := codec.WithLimits(codec.JSON, codec.Limits{Depth: -1, Elements: -1, String: -1})
	var v any
	if err := off.Decode([]byte(strings.Repeat("[", 9_000)+strings.Repeat("]", 9_000)), &v); err != nil {
		t.Error(err)
	}
	if err := off.Decode([]byte(strings.Repeat("[", 10_001)+strings.Repeat("]", 10_001)), &v); !errors.Is(err, codec.ErrDepth) {
		t.Errorf("depth was turned off: %v", err)
	}
}

type foreign struct{ codec.Codec }

func (foreign) Name() string { return "foreign" }

func TestMisusePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"limits of a foreign codec": func() { codec.WithLimits(foreign{codec.MsgPack}, codec.Limits{}) },
		"LZ4 of JSON":               func() { codec.LZ4(codec.JSON) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	if c := codec.LZ4(foreign{codec.MsgPack}); c.Name() != "foreign+lz4" {
		t.Errorf("got %q", c.Name())
	}
}

func TestRaw(t *testing.T) {
	type event struct {
		T string    `json:"t"`
		D codec.Raw `json:"d"`
	}
	for _, tc := range []struct {
		name string
		raw  codec.Raw
		json string // as JSON
		pack string // as MessagePack
	}{
		{"zero", codec.Raw{}, `null`, "\xc0"},
		{"JSON", codec.Raw{JSON: []byte(`{"a":[1,2.5]}`)}, `{"a":[1,2.5]}`, "\x81\xa1a\x92\x01\xcb\x40\x04\x00\x00\x00\x00\x00\x00"},
		{"MessagePack", codec.Raw{MsgPack: []byte("\x81\xa1a\x92\x01\xc3")}, `{"a":[1,true]}`, "\x81\xa1a\x92\x01\xc3"},
		{"both", codec.Raw{JSON: []byte(`1`), MsgPack: []byte("\xcc\x01")}, `1`, "\xcc\x01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for c, want := range map[codec.Codec][2]string{
				codec.JSON:    {tc.json, `{"t":"T","d":` + tc.json + `}`},
				codec.MsgPack: {tc.pack, "\x82\xa1t\xa1T\xa1d" + tc.pack},
			} {
				got, err := c.Append(nil, tc.raw)
				if err != nil || string(got) != want[0] {
					t.Errorf("%s: got %q, %v, want %q", c.Name(), got, err, want[0])
				}
				got, err = c.Append(nil, event{"T", tc.raw})
				if err != nil || string(got) != want[1] {
					t.Fatalf("%s nested: got %q, %v, want %q", c.Name(), got, err, want[1])
				}
				var back event
				if err := c.Decode(got, &back); err != nil {
					t.Fatal(err)
				}
				again, err := c.Append(nil, back)
				if err != nil || string(again) != string(got) {
					t.Errorf("%s: decoded and encoded again: %q, %v", c.Name(), again, err)
				}
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	err := codec.CheckMsgPack([]byte("\x92\x01\xc1"), codec.Limits{})
	if got := err.Error(); got != "codec: malformed (msgpack, byte 2)" {
		t.Errorf("got %q", got)
	}
	err = codec.MsgPack.Decode([]byte("\xc3"), new(string))
	if got := err.Error(); !strings.HasPrefix(got, "codec: value does not fit: msgpack: ") {
		t.Errorf("got %q", got)
	}
}

// What is checked decodes and transcodes: a number beyond float64 is refused,
// wherever it comes from.
func TestNumbersBeyondFloat64(t *testing.T) {
	for text, ok := range map[string]bool{
		"1e308": true, "1e309": false, "-1E+400": false, "1e-400": true, "0e999": true, "1e99999999999999999999": false,
		"1" + strings.Repeat("0", 308): true, "1" + strings.Repeat("0", 309): false, strings.Repeat("9", 400) + ".5": false,
	} {
		for _, text := range []string{text, `{"a":[` + text + `]}`} {
			err := codec.CheckJSON([]byte(text), codec.Limits{})
			if ok != (err == nil) || !ok && !errors.Is(err, codec.ErrNumber) {
				t.Errorf("CheckJSON(%.40s): %v", text, err)
			}
		}
	}
}
