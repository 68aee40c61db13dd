package codec_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/codec"
)

// bombs are the messages that were measured to kill a process which gives them to the MessagePack
// library, or to make it allocate gigabytes, and what stands for them in JSON and LZ4.
var bombs = []struct {
	name string
	c    codec.Codec
	data string
	want error
}{
	{"array 32 of 4 billion in 5 bytes", codec.MsgPack, "\xdd\xff\xff\xff\xff", codec.ErrTruncated},
	{"map 32 of 4 billion in 5 bytes", codec.MsgPack, "\xdf\xff\xff\xff\xff", codec.ErrTruncated},
	{"bin 32 of 4 GB in 5 bytes", codec.MsgPack, "\xc6\xff\xff\xff\xff", codec.ErrTruncated},
	{"str 32 of 4 GB in 5 bytes", codec.MsgPack, "\xdb\xff\xff\xff\xff", codec.ErrTruncated},
	{"ext 32 of 4 GB in 6 bytes", codec.MsgPack, "\xc9\xff\xff\xff\xff\x05", codec.ErrTruncated},
	{"200 nested arrays of a million", codec.MsgPack, strings.Repeat("\xdd\x00\x0f\x42\x40", 200), codec.ErrTruncated},
	{"the same, with the bytes to go with it", codec.MsgPack, strings.Repeat("\xdd\x00\x0f\x42\x40", 200) + strings.Repeat("\xc0", 1<<21), codec.ErrElements},
	{"4 million nested arrays of one", codec.MsgPack, strings.Repeat("\x91", 4<<20) + "\xc0", codec.ErrDepth},
	{"4 million nested maps of one", codec.MsgPack, strings.Repeat("\x81\xa0", 4<<20) + "\xc0", codec.ErrDepth},
	{"2 million empty maps", codec.MsgPack, "\xdd\x00\x20\x00\x00" + strings.Repeat("\x80", 1<<21), codec.ErrElements},
	{"a map of 4 billion in a timestamp 32", codec.MsgPack, "\xd6\xff\xdf\xff\xff\xff\xff", codec.ErrTrailing},
	{"a map of 4 billion in an unknown extension", codec.MsgPack, "\xd8\x07\xdf\xff\xff\xff\xff" + strings.Repeat("\xc0", 11), codec.ErrExtension},
	{"a block that declares 2 GB", codec.LZ4(codec.MsgPack), "\xc7\x07\x63\xd2\x7f\xff\xff\xff\x10\xc0", codec.ErrBlock},
	{"a block of 8 MB of nils", codec.LZ4(codec.MsgPack), string(codec.AppendLZ4(nil, []byte("\xdd\x00\x80\x00\x00"+strings.Repeat("\xc0", 8<<20)))), codec.ErrTooLarge},
	{"a thousand blocks of 1 MB each", codec.LZ4(codec.MsgPack), "\xdc\x03\xe8" + strings.Repeat(megabyte(), 1000), codec.ErrTooLarge},
	{"a block that holds a bomb", codec.LZ4(codec.MsgPack), "\xc7\x07\x63\x05\x50\xdd\xff\xff\xff\xff", codec.ErrTruncated},
	{"a million brackets", codec.JSON, strings.Repeat("[", 1<<20), codec.ErrDepth},
	{"a million objects", codec.JSON, strings.Repeat(`{"":`, 1<<20), codec.ErrDepth},
	{"a million empty objects", codec.JSON, "[" + strings.Repeat("{},", 1<<20) + "{}]", codec.ErrElements},
	{"a string of 2 MB", codec.JSON, `"` + strings.Repeat("a", 2<<20) + `"`, codec.ErrString},
	{"a number of 2 MB", codec.JSON, strings.Repeat("1", 2<<20), codec.ErrString},
}

// megabyte is an LZ4 block that holds a string of just under 1 MB.
func megabyte() string {
	return string(codec.AppendLZ4(nil, []byte("\xdb\x00\x0f\x42\x40"+strings.Repeat("a", 1_000_000))))
}

// TestBombs decodes each into the destinations whose decoders take different paths.
func TestBombs(t *testing.T) {
	for _, bomb := range bombs {
		t.Run(bomb.c.Name()+"/"+bomb.name, func(t *testing.T) {
			data := []byte(bomb.data)
			for _, v := range []any{
				new(any), new(map[string]any), new(map[string]string), new(map[string]int), new([]any),
				new([]string), new([]byte), new(string), new(message), new(codec.Raw), new([][][]struct{ A, B any }),
			} {
				before := allocated()
				err := bomb.c.Decode(data, v)
				if used := allocated() - before; used > 8<<20 { // at most Limits.Output twice, and an error
					t.Errorf("into %T: %d bytes allocated", v, used)
				}
				if !errors.Is(err, bomb.want) {
					t.Errorf("into %T: got %v, want %v", v, err, bomb.want)
				}
			}
			if bomb.c == codec.JSON {
				return
			}
			if _, err := codec.AppendJSONFromMsgPack(nil, data, codec.Limits{}); !errors.Is(err, bomb.want) {
				t.Errorf("transcoded: got %v, want %v", err, bomb.want)
			}
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestTimestampIsNoMap pins why timestamps are rewritten: every first byte that a timestamp's body can
// have, decoded where a map is wanted, with a tail that would be the map's length.
func TestTimestampIsNoMap(t *testing.T) {
	for first := range 256 {
		for _, head := range []string{"\xd6\xff", "\xd7\xff", "\xc7\x04\xff", "\xc7\x08\xff", "\xc7\x0c\xff"} {
			size := map[byte]int{0xd6: 4, 0xd7: 8}[head[0]]
			if size == 0 {
				size = int(head[1])
			}
			body := append([]byte{byte(first)}, strings.Repeat("\x3b", size-1)...)
			data := append(append([]byte("\x92"), head...), body...)
			data = append(data, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"...)
			before := allocated()
			for _, v := range []any{new([]map[string]any), new([]map[string]string), new([]map[string]int)} {
				if err := codec.MsgPack.Decode(data, v); err == nil {
					t.Errorf("%x decoded into %T", data, v)
				}
			}
			if used := allocated() - before; used > 1<<20 {
				t.Errorf("%x: %d bytes allocated", data, used)
			}
		}
	}
}

// TestCheckAllocates counts: a check of what is accepted allocates nothing.
func TestCheckAllocates(t *testing.T) {
	text, _ := codec.JSON.Append(nil, sample())
	packed, _ := codec.MsgPack.Append(nil, sample())
	out := make([]byte, 0, 4096)
	for name, f := range map[string]func() error{
		"CheckJSON":    func() error { return codec.CheckJSON(text, codec.Limits{}) },
		"CheckMsgPack": func() error { return codec.CheckMsgPack(packed, codec.Limits{}) },
		"to MsgPack":   func() error { _, err := codec.AppendMsgPackFromJSON(out, text, codec.Limits{}); return err },
		"to JSON":      func() error { _, err := codec.AppendJSONFromMsgPack(out, packed, codec.Limits{}); return err },
		"raw JSON":     func() error { _, err := codec.AppendJSON(out, codec.Raw{JSON: text}); return err },
	} {
		var failed error
		n := testing.AllocsPerRun(100, func() { failed = errors.Join(failed, f()) })
		if failed != nil || n > 1 || n > 0 && name != "raw JSON" { // an any around a Raw is one
			t.Errorf("%s: %v allocations, %v", name, n, failed)
		}
	}
}

// TestZlibStreamBomb: 32 MB of zeroes in 32 KB cost about what is allowed.
func TestZlibStreamBomb(t *testing.T) {
	bomb := codec.NewZlibStream().Append(nil, make([]byte, 32<<20))
	before := allocated()
	_, err := codec.NewZlibStreamReader(codec.Limits{Output: 1 << 20}).Append(nil, bomb)
	if used := allocated() - before; used > 6<<20 || !errors.Is(err, codec.ErrTooLarge) {
		t.Errorf("%d bytes allocated, %v", used, err)
	}
}
