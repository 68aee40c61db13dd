package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vectors.json from the table in vectors_test.go")

// vector is one golden vector. The table below is the source; the file is for other languages.
type vector struct {
	Name    string          `json:"name"`
	Format  string          `json:"format"`
	Hex     string          `json:"hex"`
	JSON    json.RawMessage `json:"json,omitempty"`
	Encodes bool            `json:"encodes,omitempty"` // json encodes to hex, byte for byte
	Refused string          `json:"refused,omitempty"`
	Limits  map[string]int  `json:"limits,omitempty"` // those that are not the defaults
}

// classes names the sentinels for the vectors.
var classes = map[string]error{
	"syntax": ErrSyntax, "truncated": ErrTruncated, "trailing": ErrTrailing, "utf8": ErrUTF8,
	"key": ErrKey, "extension": ErrExtension, "block": ErrBlock, "depth": ErrDepth,
	"elements": ErrElements, "string": ErrString, "too_large": ErrTooLarge, "number": ErrNumber,
}

func takes(name, hex, json string) vector {
	return vector{Name: name, Format: "msgpack", Hex: hex, JSON: []byte(json)}
}

func encodes(name, hex, json string) vector {
	v := takes(name, hex, json)
	v.Encodes = true
	return v
}

func refuses(name, hex, class string) vector {
	return vector{Name: name, Format: "msgpack", Hex: hex, Refused: class}
}

func refusesJSON(name, text, class string) vector {
	return vector{Name: name, Format: "json", Hex: hex.EncodeToString([]byte(text)), Refused: class}
}

func (v vector) as(format string) vector { v.Format = format; return v }

func (v vector) within(l Limits) vector {
	v.Limits = map[string]int{"depth": l.Depth, "elements": l.Elements, "string": l.String, "output": l.Output}
	maps.DeleteFunc(v.Limits, func(_ string, n int) bool { return n == 0 })
	return v
}

func rep(s string, n int) string { return strings.Repeat(s, n) }
func text(s string) string       { return hex.EncodeToString([]byte(s)) }

func jsonArray(element string, n int) string {
	return "[" + strings.TrimSuffix(rep(element+",", n), ",") + "]"
}

// csharp is the body of the extension that the README of MessagePack-CSharp shows in its section
// "LZ4 Compression": 100 times [5,"foo","bar"], 1,003 bytes uncompressed.
const csharp = "0gAAA+vf3ABkkwWjZm9vo2JhcgoA////yVBvo2Jhcg=="

func vectors() []vector {
	body, _ := base64.StdEncoding.DecodeString(csharp)
	ext := func(body string) string { // ext 8 of type 99
		return "c7" + hex.EncodeToString([]byte{byte(len(body) / 2)}) + "63" + body
	}
	hundred := ext(hex.EncodeToString(body))
	return []vector{
		encodes("nil", "c0", `null`),
		encodes("false", "c2", `false`),
		encodes("true", "c3", `true`),
		encodes("zero", "00", `0`),
		encodes("positive fixint, last", "7f", `127`),
		encodes("uint 8, first", "cc80", `128`),
		encodes("uint 8, last", "ccff", `255`),
		encodes("uint 16, first", "cd0100", `256`),
		encodes("uint 16, last", "cdffff", `65535`),
		encodes("uint 32, first", "ce00010000", `65536`),
		encodes("uint 32, last", "ceffffffff", `4294967295`),
		encodes("uint 64, first", "cf0000000100000000", `4294967296`),
		encodes("2^53+1, which a float64 cannot hold", "cf0020000000000001", `9007199254740993`),
		encodes("uint 64, last", "cfffffffffffffffff", `18446744073709551615`),
		encodes("negative fixint, first", "ff", `-1`),
		encodes("negative fixint, last", "e0", `-32`),
		encodes("int 8, first", "d0df", `-33`),
		encodes("int 8, last", "d080", `-128`),
		encodes("int 16, first", "d1ff7f", `-129`),
		encodes("int 16, last", "d18000", `-32768`),
		encodes("int 32, first", "d2ffff7fff", `-32769`),
		encodes("int 32, last", "d280000000", `-2147483648`),
		encodes("int 64, first", "d3ffffffff7fffffff", `-2147483649`),
		encodes("int 64, last", "d38000000000000000", `-9223372036854775808`),
		takes("int 64 in a long form", "d30000000000000001", `1`),
		encodes("float 64", "cb3ff8000000000000", `1.5`),
		encodes("float 64, negative zero", "cb8000000000000000", `-0`),
		encodes("float 64, beyond uint 64", "cb43f0000000000000", `18446744073709552000`),
		encodes("float 64, exponent", "cb3e112e0be826d695", `1e-9`),
		takes("float 64 that is whole", "cb4008000000000000", `3`),
		takes("float 32", "ca3dcccccd", `0.1`),
		encodes("empty string", "a0", `""`),
		encodes("fixstr", "a5"+text("hello"), `"hello"`),
		encodes("fixstr of two and four byte runes", "a6c3bcf09f9880", `"ü😀"`),
		encodes("fixstr, last", "bf"+rep("61", 31), `"`+rep("a", 31)+`"`),
		encodes("str 8, first", "d920"+rep("61", 32), `"`+rep("a", 32)+`"`),
		encodes("str 16, first", "da0100"+rep("61", 256), `"`+rep("a", 256)+`"`),
		takes("str 32", "db0000000161", `"a"`),
		encodes("control characters", "a7220a5c00082f7f", `"\"\n\\\u0000\b/`+"\x7f"+`"`),
		takes("bin 8, in base64", "c403000102", `"AAEC"`),
		takes("bin 16", "c5000100", `"AA=="`),
		takes("bin 32", "c60000000100", `"AA=="`),
		encodes("empty array", "90", `[]`),
		encodes("fixarray", "93010203", `[1,2,3]`),
		encodes("array 16, first", "dc0010"+rep("01", 16), jsonArray("1", 16)),
		takes("array 32", "dd00000001c0", `[null]`),
		encodes("empty map", "80", `{}`),
		encodes("fixmap", "81a161a162", `{"a":"b"}`),
		takes("map 32", "df00000001a16101", `{"a":1}`),
		encodes("envelope", "84a26f700aa16481b2"+text("heartbeat_interval")+"cda122a173c0a174c0",
			`{"op":10,"d":{"heartbeat_interval":41250},"s":null,"t":null}`),
		takes("timestamp 32", "d6ff00000000", `"1970-01-01T00:00:00Z"`),
		takes("timestamp 64", "d7ffee6b27fc00000001", `"1970-01-01T00:00:01.999999999Z"`),
		takes("timestamp 96", "c70cff00000000fffffff1868b8400", `"0000-01-01T00:00:00Z"`),
		encodes("nested as deep as allowed", rep("91", 64)+"01", rep("[", 64)+"1"+rep("]", 64)),

		takes("block of MessagePack-CSharp", hundred, jsonArray(`[5,"foo","bar"]`, 100)).as("msgpack+lz4"),
		takes("block as the data of an envelope", "82a26f7000a164"+hundred,
			`{"op":0,"d":`+jsonArray(`[5,"foo","bar"]`, 100)+`}`).as("msgpack+lz4"),
		takes("block with the length as a fixint", ext("022091c0"), `[null]`).as("msgpack+lz4"),
		takes("no block", "01", `1`).as("msgpack+lz4"),

		refuses("nothing", "", "truncated"),
		refuses("the reserved byte", "c1", "syntax"),
		refuses("the reserved byte inside", "91c1", "syntax"),
		refuses("the reserved byte as a key", "81c101", "syntax"),
		refuses("two values", "0101", "trailing"),
		refuses("uint 16 cut short", "cd01", "truncated"),
		refuses("str cut short", "a26f", "truncated"),
		refuses("array cut short", "9201", "truncated"),
		refuses("map without its value", "81a161", "truncated"),
		refuses("extension cut short", "d7ff00", "truncated"),
		refuses("extension without its type", "d4", "truncated"),
		refuses("extension cut short by one byte", "d6ff000000", "truncated"),
		refuses("array 32 of 4 billion", "ddffffffff", "truncated"),
		refuses("map 32 of 4 billion", "dfffffffff", "truncated"),
		refuses("bin 32 of 4 GB", "c6ffffffff", "truncated"),
		refuses("str 32 of 4 GB", "dbffffffff", "truncated"),
		refuses("ext 32 of 4 GB", "c9ffffffffff", "truncated"),
		refuses("arrays of a million, nested", rep("dd000f4240", 200), "truncated"),
		refuses("one level too deep", rep("91", 65)+"01", "depth"),
		refuses("one level too deep, maps", rep("81a161", 65)+"01", "depth"),
		refuses("a million arrays of one", rep("91", 1000)+"01", "depth"),
		refuses("more elements than allowed", "9401020304", "elements").within(Limits{Elements: 3}),
		refuses("more elements than allowed, over two levels", "9292010292"+"0102", "elements").within(Limits{Elements: 5}),
		refuses("a longer string than allowed", "a461616161", "string").within(Limits{String: 3}),
		refuses("a longer byte string than allowed", "c40400000000", "string").within(Limits{String: 3}),
		refuses("str that is not UTF-8", "a1ff", "utf8"),
		refuses("str with a surrogate half", "a3eda080", "utf8"),
		refuses("integer key", "8101c0", "key"),
		refuses("nil key", "81c0c0", "key"),
		refuses("bin key", "81c40161c0", "key"),
		refuses("float that is not a number", "cb7ff8000000000000", "number"),
		refuses("infinite float 32", "ca7f800000", "number"),
		refuses("unknown extension", "d40100", "extension"),
		refuses("extension of the library's interned strings", "d48000", "extension"),
		refuses("timestamp of two bytes", "d5ff0000", "extension"),
		refuses("timestamp with a second of nanoseconds", "d7ffee6b280000000000", "extension"),
		refuses("timestamp in the year 10000", "c70cff000000000000003afff44180", "extension"),
		refuses("timestamp before the year 0", "c70cff00000000fffffff1868b83ff", "extension"),
		refuses("block where none was agreed", hundred, "extension"),
		refuses("block in a block", ext("04"+"40"+"d5630100"), "extension").as("msgpack+lz4"),
		refuses("block that declares 2 GB", ext("d27fffffff"+"10c0"), "block").as("msgpack+lz4"),
		refuses("block that declares a negative length", ext("ff"+"10c0"), "block").as("msgpack+lz4"),
		refuses("block that declares more than it holds", ext("02"+"10c0"), "block").as("msgpack+lz4"),
		refuses("block that declares less than it holds", ext("01"+"20c0c0"), "block").as("msgpack+lz4"),
		refuses("block that declares nothing", ext("00"), "block").as("msgpack+lz4"),
		refuses("block without a length", "d463c0", "block").as("msgpack+lz4"),
		refuses("block that points before its start", ext("08"+"10c00500"), "block").as("msgpack+lz4"),
		refuses("block of two values", ext("02"+"20c0c0"), "trailing").as("msgpack+lz4"),
		refuses("block of a bomb", ext("05"+"50ddffffffff"), "truncated").as("msgpack+lz4"),
		refuses("block larger than allowed", hundred, "too_large").as("msgpack+lz4").within(Limits{Output: 1002}),
		refuses("blocks larger than allowed together", "92"+hundred+hundred, "too_large").as("msgpack+lz4").within(Limits{Output: 2005}),
		refuses("block that completes a depth", "91"+ext("03"+"309191c0"), "depth").as("msgpack+lz4").within(Limits{Depth: 2}),

		refusesJSON("nothing", "", "truncated"),
		refusesJSON("white space", " \n", "truncated"),
		refusesJSON("two values", "1 2", "trailing"),
		refusesJSON("comma after the last element", "[1,]", "syntax"),
		refusesJSON("comma after the last member", `{"a":1,}`, "syntax"),
		refusesJSON("missing comma", "[1 2]", "syntax"),
		refusesJSON("missing colon", `{"a" 1}`, "syntax"),
		refusesJSON("single quotes", "'a'", "syntax"),
		refusesJSON("key without quotes", "{a:1}", "syntax"),
		refusesJSON("wrong bracket", "[1}", "syntax"),
		refusesJSON("leading zero", "01", "trailing"),
		refusesJSON("leading plus", "+1", "syntax"),
		refusesJSON("no digit after the point", "1.", "truncated"),
		refusesJSON("no digit before the point", ".5", "syntax"),
		refusesJSON("hexadecimal", "0x10", "trailing"),
		refusesJSON("not a number", "NaN", "syntax"),
		refusesJSON("literal in capitals", "True", "syntax"),
		refusesJSON("literal cut short", "tru", "truncated"),
		refusesJSON("object cut short", `{"a":`, "truncated"),
		refusesJSON("string cut short", `"a`, "truncated"),
		refusesJSON("escape cut short", `"\`, "truncated"),
		refusesJSON("unknown escape", `"\x41"`, "syntax"),
		refusesJSON("escape with a bad digit", `"\u00g0"`, "syntax"),
		refusesJSON("line feed in a string", "\"\n\"", "syntax"),
		refusesJSON("last control character in a string", "\"\x1f\"", "syntax"),
		refusesJSON("byte order mark", "\ufeff1", "syntax"),
		refusesJSON("comment", "/**/1", "syntax"),
		refusesJSON("string that is not UTF-8", "\"\xff\"", "utf8"),
		refusesJSON("overlong UTF-8", "\"\xc0\x80\"", "utf8"),
		refusesJSON("surrogate half in UTF-8", "\"\xed\xa0\x80\"", "utf8"),
		refusesJSON("one level too deep", rep("[", 65)+rep("]", 65), "depth"),
		refusesJSON("ten thousand brackets", rep("[", 10_000), "depth"),
		refusesJSON("objects too deep", rep(`{"a":`, 65), "depth"),
		refusesJSON("more elements than allowed", "[1,2,3,4]", "elements").within(Limits{Elements: 3}),
		refusesJSON("a longer string than allowed", `"aaaa"`, "string").within(Limits{String: 3}),
		refusesJSON("a longer key than allowed", `{"aaaa":1}`, "string").within(Limits{String: 3}),
		refusesJSON("a longer number than allowed", `1111`, "string").within(Limits{String: 3}),
		refusesJSON("number beyond float64", "1e400", "number"),
		refusesJSON("more MessagePack than allowed", "[1.5,1.5]", "too_large").within(Limits{Output: 18}),
	}
}

// TestVectors transcodes every vector to the other format.
func TestVectors(t *testing.T) {
	for _, v := range vectors() {
		t.Run(v.Format+"/"+v.Name, func(t *testing.T) {
			input, err := hex.DecodeString(v.Hex)
			if err != nil {
				t.Fatal(err)
			}
			l := Limits{v.Limits["depth"], v.Limits["elements"], v.Limits["string"], v.Limits["output"]}
			var got []byte
			if v.Format == "json" {
				got, err = AppendMsgPackFromJSON([]byte("x"), input, l)
			} else {
				got, err = appendJSONFromMsgPack([]byte("x"), input, l, v.Format == "msgpack+lz4")
			}
			if v.Refused != "" {
				var typed *Error
				if !errors.Is(err, classes[v.Refused]) || !errors.As(err, &typed) {
					t.Fatalf("got %s, %v, want %v", got, err, classes[v.Refused])
				}
				if string(got) != "x" {
					t.Errorf("dst became %q", got)
				}
				if typed.Offset < 0 || typed.Offset > len(input) {
					t.Errorf("offset %d of %d bytes", typed.Offset, len(input))
				}
				return
			}
			if err != nil || string(got) != "x"+string(v.JSON) {
				t.Fatalf("got %s, %v\nwant x%s", got, err, v.JSON)
			}
			if !v.Encodes {
				return
			}
			packed, err := AppendMsgPackFromJSON(nil, v.JSON, l)
			if err != nil || !bytes.Equal(packed, input) {
				t.Errorf("encodes to %x, %v\nwant %x", packed, err, input)
			}
		})
	}
}

// TestVectorFile keeps the file that other languages read equal to the table.
func TestVectorFile(t *testing.T) {
	const path = "testdata/vectors.json"
	var want bytes.Buffer
	want.WriteString("[\n")
	all := vectors()
	names := map[string]bool{}
	for i, v := range all {
		if names[v.Format+v.Name] {
			t.Errorf("%s/%s stands twice", v.Format, v.Name)
		}
		names[v.Format+v.Name] = true
		line, err := AppendJSON(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		want.Write(line)
		if i < len(all)-1 {
			want.WriteByte(',')
		}
		want.WriteByte('\n')
	}
	want.WriteString("]\n")
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is not what the table says; go test -run TestVectorFile -update writes it", path)
	}
}
