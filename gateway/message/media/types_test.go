package media

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"
)

// Beginnings of files, as their formats have them.
const (
	pngHead  = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	jpegHead = "\xff\xd8\xff\xe0\x00\x10JFIF\x00"
	gifHead  = "GIF89a\x01\x00\x01\x00"
	pdfHead  = "%PDF-1.7\n"
	svg      = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
)

func TestSniff(t *testing.T) {
	tests := []struct{ name, head, want string }{
		{"PNG", pngHead, "image/png"},
		{"JPEG", jpegHead, "image/jpeg"},
		{"GIF", gifHead, "image/gif"},
		{"WebP", "RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		{"AVIF", "\x00\x00\x00\x20ftypavif\x00\x00\x00\x00mif1avif", "image/avif"},
		{"HEIC", "\x00\x00\x00\x20ftypheic\x00\x00\x00\x00mif1heic", "image/heic"},
		{"MP4", "\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", "video/mp4"},
		{"MP4, a box that is cut off", "\x00\x00\x00\xffftypmp42", "video/mp4"},
		{"QuickTime", "\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ", "video/quicktime"},
		{"M4A, compatible with MP4", "\x00\x00\x00\x1cftypM4A \x00\x00\x02\x00M4A mp42", "audio/mp4"},
		{"a brand of nobody", "\x00\x00\x00\x14ftypevil\x00\x00\x00\x00mp42", "application/octet-stream"},
		{"WebM", "\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", "video/webm"},
		{"Matroska", "\x1aE\xdf\xa3\xa3B\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x88matroska", "video/x-matroska"},
		{"Ogg Opus", "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x13OpusHead", "audio/ogg"},
		{"Ogg Vorbis", "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x1e\x01vorbis\x00", "audio/ogg"},
		{"Ogg Theora", "OggS\x00\x02" + strings.Repeat("\x00", 20) + "\x01\x2a\x80theora\x03", "application/ogg"},
		{"FLAC", "fLaC\x00\x00\x00\x22", "audio/flac"},
		{"MP3", "\xff\xfb\x90\x64\x00", "audio/mpeg"},
		{"MP3 with a tag", "ID3\x03\x00", "audio/mpeg"},
		{"a stream with a reserved version", "\xff\xea\x90\x64\x00", "application/octet-stream"},
		{"UTF-16", "\xff\xfea\x00b\x00", "text/plain; charset=utf-16le"},
		{"Wave", "RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wave"},
		{"PDF", pdfHead, "application/pdf"},
		{"text", "hello, Größe\n", "text/plain; charset=utf-8"},
		{"HTML", "\n <!DOCTYPE html><script>", "text/html; charset=utf-8"},
		{"HTML behind a comment", "<!-- x --><script>alert(1)</script>", "text/html; charset=utf-8"},
		{"SVG", svg, "text/plain; charset=utf-8"},
		{"SVG with a declaration", `<?xml version="1.0"?>` + svg, "text/xml; charset=utf-8"},
		{"zip, a document of an office", "PK\x03\x04", "application/zip"},
		{"a program", "MZ\x90\x00\x03\x00\x00\x00", "application/octet-stream"},
		{"ELF", "\x7fELF\x02\x01\x01\x00", "application/octet-stream"},
		{"nothing", "", "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Sniff([]byte(tt.head)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Neither the list of what is taken nor that of what is shown has a type that runs.
func TestTypes(t *testing.T) {
	for _, typ := range Types() {
		if err := CheckType(typ); err != nil || strings.Contains(typ, "svg") || strings.Contains(typ, "ml") || strings.Contains(typ, "script") {
			t.Errorf("%s: %v", typ, err)
		}
	}
	for _, typ := range []string{"image/svg+xml", "text/html", "text/html; charset=utf-8", "text/xml", "application/xhtml+xml", "application/pdf",
		"text/plain", "text/javascript", "application/wasm", "", "image/PNG/x", "nonsense"} {
		if inline(typ) {
			t.Errorf("%s is shown in place", typ)
		}
	}
	var endings []string
	for _, k := range known {
		endings = append(endings, k.ending)
		if k.media && !inline(strings.ToUpper(k.typ)+"; a=b") {
			t.Errorf("%s is not shown in place", k.typ)
		}
	}
	slices.Sort(endings)
	if n := len(endings); len(slices.Compact(endings)) != n {
		t.Error("two types have one ending")
	}
}

// Whatever the bytes are, the type is one, and what begins as a document that runs is not shown.
func FuzzSniff(f *testing.F) {
	for _, head := range []string{pngHead, jpegHead, gifHead, pdfHead, svg, "", "OggS", "\x1aE\xdf\xa3", "\x00\x00\x00\x14ftypisom", "\xff\xfb\x90\x64"} {
		f.Add([]byte(head))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		typ := Sniff(head)
		if err := CheckType(typ); err != nil {
			t.Fatalf("%q: %v", typ, err)
		}
		if inline(typ) && xml.Unmarshal(head, new(struct{ XMLName xml.Name })) == nil {
			t.Fatalf("%q is XML, and shown as %s", head, typ)
		}
	})
}
