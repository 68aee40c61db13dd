package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
)

func dictionary(t testing.TB, data []byte) *Dictionary {
	t.Helper()
	d, err := NewDictionary("test", data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// noise is what nothing is typical of.
func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestNewDictionary(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, tc := range []struct {
		name, id string
		size     int
		ok       bool
	}{
		{"one byte", "a", 1, true},
		{"the longest", long, MaxDictionary, true},
		{"every kind of character", "AZaz09._-", 10, true},
		{"no id", "", 10, false},
		{"an id too long", long + "a", 10, false},
		{"a space in the id", "a b", 10, false},
		{"a slash in the id", "a/b", 10, false},
		{"an id that is not ASCII", "ä", 10, false},
		{"no bytes", "a", 0, false},
		{"a byte too many", "a", MaxDictionary + 1, false},
	} {
		data := noise(1, tc.size)
		d, err := NewDictionary(tc.id, data)
		if tc.ok != (err == nil) || !tc.ok && !errors.Is(err, ErrDictionary) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil {
			continue
		}
		want := bytes.Clone(data)
		clear(data)
		if d.ID() != tc.id || !bytes.Equal(d.Bytes(), want) || len(d.Hash()) != 64 {
			t.Errorf("%s: %q, %d bytes, hash %s", tc.name, d.ID(), len(d.Bytes()), d.Hash())
		}
	}
	if got := dictionary(t, []byte("abc")).Hash(); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("the hash of abc is %s: not its SHA-256", got)
	}
}

// checkBlock compresses body, and decodes it again with pierrec/lz4 and with a decoder written from the
// specification, which holds it to the conditions at the end of a block.
func checkBlock(t *testing.T, d *Dictionary, body []byte) {
	t.Helper()
	out := d.AppendLZ4([]byte("kept"), body)
	if string(out[:4]) != "kept" || len(out)-4 > len(body) {
		t.Fatalf("%d bytes became %d behind %q", len(body), len(out)-4, out[:4])
	}
	if out = out[4:]; bytes.Equal(out, body) {
		return
	}
	if len(out) == len(body) {
		t.Fatalf("%d bytes did not shrink and are a block", len(body))
	}
	k, n, i := token(out, 0)
	if k != kindExt || out[i] != extBlock || int(n) != len(out)-i-1 {
		t.Fatalf("not an extension of type 99: %.20x", out)
	}
	size, begin, ok := blockSize(out[i+1:])
	if shortest := appendUint(nil, uint64(size)); !ok || size != len(body) || !bytes.HasPrefix(out[i+1:], shortest) {
		t.Fatalf("length %d of %d, in %d bytes", size, len(body), begin)
	}
	block := out[i+1+begin:]
	back := make([]byte, size)
	if n, err := lz4.UncompressBlockWithDict(block, back, d.Bytes()); err != nil || n != size || !bytes.Equal(back, body) {
		t.Fatalf("pierrec/lz4 makes %d bytes of it, want %d: %v", n, size, err)
	}
	if got, err := strictly(block, d.Bytes(), size); err != nil || !bytes.Equal(got, body) {
		t.Fatalf("a body of %d bytes: %v", size, err)
	}
}

// strictly decodes a block and refuses what the specification does.
func strictly(block, dict []byte, size int) ([]byte, error) {
	all := bytes.Clone(dict)
	for at := 0; at < len(block); {
		literals, length := int(block[at]>>4), int(block[at]&15)
		lastToken := len(all)
		literals, rest := extended(literals, block[at+1:])
		all = append(all, rest[:literals]...)
		if rest = rest[literals:]; len(rest) == 0 {
			if literals < lastLiterals && lastToken != len(dict) {
				return nil, fmt.Errorf("%d literals at the end", literals)
			}
			break
		}
		offset := int(binary.LittleEndian.Uint16(rest))
		length, rest = extended(length, rest[2:])
		if offset == 0 || offset > len(all) {
			return nil, fmt.Errorf("offset %d, of %d bytes", offset, len(all))
		}
		if begin := len(all) - len(dict); begin > size-lastMatch {
			return nil, fmt.Errorf("a match begins at %d of %d", begin, size)
		}
		for range length + leastMatch {
			all = append(all, all[len(all)-offset])
		}
		at = len(block) - len(rest)
	}
	return all[len(dict):], nil
}

func TestDictionaryRoundTrip(t *testing.T) {
	events := packed(t, heldOut()[:400])
	d := DefaultDictionary()
	for _, body := range events {
		checkBlock(t, d, body)
	}
	text := bytes.Join(events, nil)
	for _, size := range []int{1, 3, 4, 5, 7, 8, 9, 13, 1000, 30_000, MaxDictionary} {
		d := dictionary(t, text[:size])
		for n := 0; n < 5000; n += 1 + n/5 {
			checkBlock(t, d, text[n:2*n]) // of the dictionary's own bytes, too
			checkBlock(t, d, noise(uint64(n), n))
			checkBlock(t, d, bytes.Repeat([]byte{'0'}, n))
		}
		for _, n := range []int{65_534, 65_535, 65_536, 70_000, 100_000} {
			checkBlock(t, d, text[:n]) // where the dictionary is out of reach, and where positions have no room
		}
	}
}

// TestEverySize: what is at the end of a block depends on where it ends.
func TestEverySize(t *testing.T) {
	text := bytes.Join(packed(t, heldOut()[:20]), nil)
	all := map[string]*Dictionary{"the same": dictionary(t, text), "the default": DefaultDictionary(), "zeroes": dictionary(t, make([]byte, 5000))}
	for name, d := range all {
		t.Run(name, func(t *testing.T) {
			for n := range 5001 {
				if n < 300 || n%31 == 0 {
					checkBlock(t, d, text[:n])
					checkBlock(t, d, make([]byte, n))
				}
			}
		})
	}
}

// TestHardBodies: what could make the search long or a length wrong.
func TestHardBodies(t *testing.T) {
	digits := everyFourDigits()
	for _, data := range [][]byte{
		make([]byte, MaxDictionary),
		bytes.Repeat([]byte("ab"), 30_000),
		bytes.Repeat(append(make([]byte, 300), 1), 200),
		digits,
		noise(7, MaxDictionary),
	} {
		d := dictionary(t, data)
		for n := range 20 { // what follows the end of the dictionary in memory is not part of it
			body := append([]byte("xyz"), data[len(data)-n:]...)
			for zeroes := range 9 {
				checkBlock(t, d, append(append(body, make([]byte, zeroes)...), "something that is there twice, something that is there twice"...))
			}
		}
		for _, body := range [][]byte{
			make([]byte, 65_535),
			bytes.Repeat([]byte("ab"), 20_000),
			bytes.Repeat([]byte("ba0"), 20_000),
			bytes.Repeat(append(make([]byte, 299), 1), 200),
			bytes.Repeat(append(make([]byte, 31), 1), 2000),
			data[:min(len(data), 60_000)],
			data[len(data)-100:],
			append(bytes.Clone(data[len(data)-40:]), make([]byte, 40)...), // over the end of the dictionary
			noise(7, 60_000),
			digits,
		} {
			checkBlock(t, d, body)
		}
	}
}

// TestNothingGained: matches that cost as much as they save, and the head of the extension.
func TestNothingGained(t *testing.T) {
	d := dictionary(t, []byte("wxyz"))
	for literals := 1; literals < 600; literals += 1 + literals/5 {
		var body []byte
		for i := range 40 {
			body = append(append(body, noise(uint64(i), literals)...), "wxyz"...)
			checkBlock(t, d, body)
		}
	}
	var body []byte
	for i := range 230 { // every match makes the block longer, until there is no room in the middle of one
		literals := 270
		if i >= 200 {
			literals = 15
		}
		body = append(append(body, noise(uint64(i), literals)...), "wxyz"...)
	}
	checkBlock(t, d, body)
}

// TestDictionaryThresholds: bodies below 32 bytes stay, and lengths take their shortest form.
func TestDictionaryThresholds(t *testing.T) {
	text := strings.Repeat("one two three four five six seven ", 3000)
	d := dictionary(t, []byte(text[:1000]))
	if got := d.AppendLZ4(nil, []byte(text[:31])); string(got) != text[:31] {
		t.Errorf("31 bytes became %x", got)
	}
	for _, tc := range []struct {
		size int
		head string // behind the extension's head
	}{{32, "\x20"}, {127, "\x7f"}, {128, "\xcc\x80"}, {255, "\xcc\xff"}, {256, "\xcd\x01\x00"}, {65_536, "\xce\x00\x01\x00\x00"}} {
		got := d.AppendLZ4(nil, []byte(text[:tc.size]))
		_, _, i := token(got, 0)
		if len(got) >= tc.size || !strings.HasPrefix(string(got[i+1:]), tc.head) {
			t.Errorf("%d bytes became %d: %.20x", tc.size, len(got), got)
		}
	}
}

// TestDictionaryCodec: the dictionary's codec through everything that a codec does.
func TestDictionaryCodec(t *testing.T) {
	d := DefaultDictionary()
	c := d.LZ4(MsgPack)
	if c.Name() != "msgpack+lz4:events-1" {
		t.Errorf("it is named %s", c.Name())
	}
	event := heldOut()[0].Data
	data, err := c.Append([]byte("kept"), Raw{JSON: event})
	var back Raw
	if err != nil || string(data[:4]) != "kept" || len(data) > len(event)/2 {
		t.Fatalf("%d bytes became %d, %v", len(event), len(data)-4, err)
	}
	data = data[4:]
	if err := c.Decode(data, &back); err != nil {
		t.Fatal(err)
	}
	if text, err := AppendJSON(nil, back); err != nil || !bytes.Equal(text, event) {
		t.Errorf("came back as %s, %v", text, err)
	}

	envelope := append([]byte("\x82\xa1d"), data...)
	envelope = append(envelope, "\xa1s\x07"...)
	var got struct {
		D map[string]any `json:"d"`
		S int            `json:"s"`
	}
	if err := c.Decode(envelope, &got); err != nil || got.S != 7 || len(got.D) == 0 {
		t.Errorf("in an envelope: %+v, %v", got, err)
	}
	var n int
	if err := c.Decode([]byte{7}, &n); err != nil || n != 7 {
		t.Errorf("a body that is no block: %d, %v", n, err)
	}
	if err := LZ4(MsgPack).Decode(data, &back); err == nil {
		t.Error("without the dictionary it decodes")
	}
	if err := WithLimits(c, Limits{Output: 100}).Decode(data, &back); !errors.Is(err, ErrTooLarge) {
		t.Errorf("above its limit: %v", err)
	}
	if strict := WithLimits(c, Limits{Depth: 20}); strict.Name() != c.Name() || strict.Decode(data, &back) != nil {
		t.Error("WithLimits loses the dictionary")
	}
	if _, err := c.Append(nil, make(chan int)); !errors.Is(err, ErrValue) {
		t.Errorf("a channel: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("it takes JSON")
		}
	}()
	d.LZ4(JSON)
}

// TestDictionaryBlockCutShort: as TestBlockCutShort, and with lengths that lie.
func TestDictionaryBlockCutShort(t *testing.T) {
	d := DefaultDictionary()
	c := d.LZ4(MsgPack)
	body := packed(t, heldOut()[:1])[0]
	whole := d.AppendLZ4(nil, body)
	_, _, i := token(whole, 0)
	size, begin, _ := blockSize(whole[i+1:])
	block := whole[i+1+begin:]
	var v any
	for n := range block {
		message := append(appendExtHead(nil, 5+n, extBlock), 0xce)
		message = append(binary.BigEndian.AppendUint32(message, uint32(size)), block[:n]...)
		if err := c.Decode(message, &v); !errors.Is(err, ErrBlock) {
			t.Errorf("cut at %d of %d: %v", n, len(block), err)
		}
	}
	for _, wrong := range []int{0, 1, size - 1, size + 1, 1 << 30} {
		message := append(appendExtHead(nil, 5+len(block), extBlock), 0xce)
		message = append(binary.BigEndian.AppendUint32(message, uint32(wrong)), block...)
		if err := c.Decode(message, &v); !errors.Is(err, ErrBlock) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes declared as %d: %v", size, wrong, err)
		}
	}
}
