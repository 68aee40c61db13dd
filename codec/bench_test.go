package codec_test

import (
	"encoding/json"
	"testing"

	"github.com/gatehouse-go/gatehouse/codec"
)

// event is a MESSAGE_CREATE of the size that one has on average: 627 bytes of JSON.
const event = `{"id":"1310598267482374144","type":0,"content":"the deploy went through, the new nodes take connections, nobody had to sign in","channel_id":"1310598267482374100","guild_id":"1310598267482374001","author":{"id":"1309871111222333444","username":"ada.lovelace","global_name":"Ada","avatar":"a_8342729096ea3675442027381ff50dfe","discriminator":"0","public_flags":8},"member":{"roles":["1310598267482374002","1310598267482374003"],"nick":null,"joined_at":"2026-01-15T12:34:56.789000+00:00","deaf":false,"mute":false},"timestamp":"2026-11-23T18:05:01.123000+00:00","edited_timestamp":null,"tts":false,"mentions":[],"attachments":[]}`

type user struct {
	ID            string `json:"id"`
	Username      string `json:"username"`
	GlobalName    string `json:"global_name"`
	Avatar        string `json:"avatar"`
	Discriminator string `json:"discriminator"`
	PublicFlags   int    `json:"public_flags"`
}

type member struct {
	Roles    []string `json:"roles"`
	Nick     *string  `json:"nick"`
	JoinedAt string   `json:"joined_at"`
	Deaf     bool     `json:"deaf"`
	Mute     bool     `json:"mute"`
}

type messageCreate struct {
	ID          string   `json:"id"`
	Type        int      `json:"type"`
	Content     string   `json:"content"`
	ChannelID   string   `json:"channel_id"`
	GuildID     string   `json:"guild_id"`
	Author      user     `json:"author"`
	Member      member   `json:"member"`
	Timestamp   string   `json:"timestamp"`
	Edited      *string  `json:"edited_timestamp"`
	TTS         bool     `json:"tts"`
	Mentions    []string `json:"mentions"`
	Attachments []string `json:"attachments"`
}

func benchEvent(b *testing.B) *messageCreate {
	b.Helper()
	m := new(messageCreate)
	if err := codec.JSON.Decode([]byte(event), m); err != nil {
		b.Fatal(err)
	}
	if text, err := codec.AppendJSON(nil, m); err != nil || string(text) != event {
		b.Fatalf("%s, %v", text, err)
	}
	return m
}

func BenchmarkAppend(b *testing.B) {
	m := benchEvent(b)
	for _, c := range codecs {
		b.Run(c.Name(), func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = c.Append(dst[:0], m); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(dst)), "bytes")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	m := benchEvent(b)
	for _, c := range codecs {
		data, _ := c.Append(nil, m)
		b.Run(c.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Decode(data, new(messageCreate)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("json unchecked", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := json.Unmarshal([]byte(event), new(messageCreate)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkBytes is everything that works on bytes alone.
func BenchmarkBytes(b *testing.B) {
	text := []byte(event)
	packed, err := codec.AppendMsgPackFromJSON(nil, text, codec.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	block := codec.AppendLZ4(nil, packed)
	dst := make([]byte, 0, 1024)
	for _, bench := range []struct {
		name string
		f    func() error
	}{
		{"CheckJSON", func() error { return codec.CheckJSON(text, codec.Limits{}) }},
		{"json.Valid", func() error { json.Valid(text); return nil }},
		{"CheckMsgPack", func() error { return codec.CheckMsgPack(packed, codec.Limits{}) }},
		{"AppendMsgPackFromJSON", func() error { _, err := codec.AppendMsgPackFromJSON(dst, text, codec.Limits{}); return err }},
		{"AppendJSONFromMsgPack", func() error { _, err := codec.AppendJSONFromMsgPack(dst, packed, codec.Limits{}); return err }},
		{"AppendJSONFromMsgPack of a block", func() error { _, err := codec.AppendJSONFromMsgPack(dst, block, codec.Limits{}); return err }},
		{"AppendLZ4", func() error { codec.AppendLZ4(dst, packed); return nil }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMergePatch(b *testing.B) {
	var from, to any
	if codec.JSON.Decode([]byte(event), &from) != nil || codec.JSON.Decode([]byte(event), &to) != nil {
		b.Fatal("the event does not decode")
	}
	to.(map[string]any)["content"] = "edited"
	to.(map[string]any)["author"].(map[string]any)["global_name"] = "Grace"
	patch, err := codec.Diff(from, to)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Diff", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := codec.Diff(from, to); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Apply", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			codec.Apply(from, patch)
		}
	})
}

func BenchmarkZlibStream(b *testing.B) {
	z, r := codec.NewZlibStream(), codec.NewZlibStreamReader(codec.Limits{})
	text := []byte(event)
	packed := z.Append(nil, text)
	if _, err := r.Append(nil, packed); err != nil {
		b.Fatal(err)
	}
	packed = z.Append(packed[:0], text)
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]byte, 0, 1024)
		for b.Loop() {
			z.Append(dst, text)
		}
	})
	b.Run("Read", func(b *testing.B) { // a message that refers to one like it just before
		b.ReportAllocs()
		dst := make([]byte, 0, 2048)
		for b.Loop() {
			if _, err := r.Append(dst, packed); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Reset", func(b *testing.B) {
		b.ReportAllocs()
		dst := make([]byte, 0, 1024)
		for b.Loop() {
			z.Reset()
			z.Append(dst, text)
		}
	})
}
