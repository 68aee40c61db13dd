package codec

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// TestLz4BlockLayout takes the published bytes of MessagePack-CSharp apart, by hand.
func TestLz4BlockLayout(t *testing.T) {
	body, err := base64.StdEncoding.DecodeString(csharp)
	if err != nil || body[0] != 0xd2 {
		t.Fatalf("the length is not a five-byte int32: %x, %v", body, err)
	}
	got, err := appendBlock(nil, body, nil)
	want := append([]byte{0xdc, 0, 100}, bytes.Repeat([]byte("\x93\x05\xa3foo\xa3bar"), 100)...)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %x, %v", got, err)
	}
	ours := AppendLZ4(nil, want)
	if ours[0] != 0xc7 || int(ours[1]) != len(ours)-3 || ours[2] != 99 || !bytes.Equal(ours[3:8], body[:5]) {
		t.Errorf("our head %x, theirs c7%02x63%x", ours[:8], len(body), body[:5])
	}
}

func TestAppendLZ4(t *testing.T) {
	noise := []byte{0xc5, 0x10, 0x00}
	for sum := [32]byte{}; len(noise) < 4096+3; noise = append(noise, sum[:]...) {
		sum = sha256.Sum256(noise)
	}
	for _, tc := range []struct {
		name string
		body []byte
		head byte // of the extension; 0: stays as it is
	}{
		{"255 bytes", []byte("\xd9\xfd" + strings.Repeat("a", 253)), 0},
		{"256 bytes", []byte("\xd9\xfe" + strings.Repeat("a", 254)), 0xc7},
		{"that do not shrink", noise, 0},
		{"to more than 255 bytes", append([]byte("\xda\x20\x00"), bytes.Repeat(noise[3:1027], 8)...), 0xc8},
		{"to more than 65535 bytes", append([]byte("\xdb\x00\x10\x00\x00"), bytes.Repeat([]byte("abcdefghijklmnop"), 65536)...), 0xc7},
	} {
		got := AppendLZ4([]byte("kept"), tc.body)
		if string(got[:4]) != "kept" {
			t.Errorf("%s: the prefix is %q", tc.name, got[:4])
		}
		got = got[4:]
		if tc.head == 0 {
			if !bytes.Equal(got, tc.body) {
				t.Errorf("%s: %d bytes became %.20x", tc.name, len(tc.body), got)
			}
			continue
		}
		if tc.head == 0xc7 && len(got) > 258 {
			tc.head = 0xc8
		}
		if got[0] != tc.head || len(got) >= len(tc.body) {
			t.Errorf("%s: %d bytes became %d, %.20x", tc.name, len(tc.body), len(got), got)
		}
		k, n, i := token(got, 0)
		back, err := appendBlock(nil, got[i+1:], nil)
		if k != kindExt || int(n) != len(got)-i-1 || err != nil || !bytes.Equal(back, tc.body) {
			t.Errorf("%s: does not come back: %v", tc.name, err)
		}
	}
}

// TestBlockCutShort: pierrec/lz4 can answer a block that ends too early with fewer bytes and no error.
func TestBlockCutShort(t *testing.T) {
	whole := AppendLZ4(nil, []byte("\xda\x01\x00"+strings.Repeat("abcdefgh", 32)))
	_, _, i := token(whole, 0)
	body := whole[i+1:]
	for n := range body {
		if got, err := appendBlock([]byte("kept"), body[:n], nil); !errors.Is(err, ErrBlock) || string(got) != "kept" {
			t.Errorf("cut at %d: %q, %v", n, got, err)
		}
	}
}

// TestEnvelope: a block as one member of a message, next to timestamps that are rewritten.
func TestEnvelope(t *testing.T) {
	long := strings.Repeat("content ", 100)
	inner, _ := MsgPack.Append(nil, map[string]any{"at": Raw{MsgPack: []byte("\xd6\xff\x00\x00\x00\x01")}, "c": long})
	data := append([]byte("\x84\xa2op\x00\xa1d"), AppendLZ4(nil, inner)...)
	data = append(data, "\xa1s\x07\xa2at\xd6\xff\x00\x00\x00\x02"...)
	var got struct {
		Op int `json:"op"`
		S  int `json:"s"`
		D  struct {
			C  string `json:"c"`
			At Raw    `json:"at"`
		} `json:"d"`
	}
	if err := LZ4(MsgPack).Decode(data, &got); err != nil || got.S != 7 || got.D.C != long {
		t.Fatalf("got %+v, %v", got, err)
	}
	if at, err := AppendJSON(nil, got.D.At); err != nil || string(at) != `"1970-01-01T00:00:01Z"` {
		t.Errorf("got %s, %v", at, err)
	}
	if err := MsgPack.Decode(data, &got); !errors.Is(err, ErrExtension) {
		t.Errorf("without LZ4: %v", err)
	}
	text, err := AppendJSONFromMsgPack(nil, data, Limits{})
	want := `{"op":0,"d":{"at":"1970-01-01T00:00:01Z","c":"` + long + `"},"s":7,"at":"1970-01-01T00:00:02Z"}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
}

// witness is a codec of somebody else's that keeps what it is given to decode.
type witness struct {
	Codec
	data []byte
}

func (w *witness) Decode(data []byte, _ any) error {
	w.data = bytes.Clone(data)
	return nil
}

// TestInnerSeesPlainBytes: what LZ4 hands on has no blocks, and only timestamps that are safe, those
// inside a block too.
func TestInnerSeesPlainBytes(t *testing.T) {
	long := "\xd9\xff" + strings.Repeat("a", 255)
	stamp, safe := "\xd6\xff\xdf\x00\x00\x01", "\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x00\xdf\x00\x00\x01"
	data := append([]byte("\x93"+stamp), AppendLZ4(nil, []byte("\x92"+stamp+long))...)
	data = append(data, 7)
	w := &witness{Codec: MsgPack}
	if err := LZ4(w).Decode(data, nil); err != nil || string(w.data) != "\x93"+safe+"\x92"+safe+long+"\x07" {
		t.Errorf("got %x, %v", w.data, err)
	}
}
