package media

import (
	"bytes"
	"net/http"
	"slices"
)

// sniffed is how many bytes Sniff looks at.
const sniffed = 512

// known are the types that have an ending, and those of them that a browser may show in place:
// which hold nothing that runs.
var known = []struct {
	typ, ending string
	media       bool // a picture, film or sound: shown in place
}{
	{"image/png", ".png", true},
	{"image/jpeg", ".jpg", true},
	{"image/gif", ".gif", true},
	{"image/webp", ".webp", true},
	{"image/avif", ".avif", true},
	{"image/bmp", ".bmp", true},
	{"video/mp4", ".mp4", true},
	{"video/webm", ".webm", true},
	{"video/quicktime", ".mov", true},
	{"audio/mpeg", ".mp3", true},
	{"audio/mp4", ".m4a", true},
	{"audio/ogg", ".ogg", true},
	{"audio/wave", ".wav", true},
	{"audio/flac", ".flac", true},
	{"application/pdf", ".pdf", false},
	{"text/plain", ".txt", false},
	{"application/zip", ".zip", false},
	{"application/x-gzip", ".gz", false},
}

// Types are those that a Handler takes when it is told of no others: the pictures, films and sounds that browsers
// show, PDF and plain text. The caller owns the slice.
func Types() (types []string) {
	for _, k := range known {
		if k.media || k.typ == "application/pdf" || k.typ == "text/plain" {
			types = append(types, k.typ)
		}
	}
	return types
}

// inline reports whether a browser may show the type in place.
func inline(typ string) bool {
	i := find(typ)
	return i >= 0 && known[i].media
}

// ending is what a file of the type is called at its end. It does not depend on the machine, as package
// mime's does: it is part of addresses.
func ending(typ string) string {
	if i := find(typ); i >= 0 {
		return known[i].ending
	}
	return ".bin"
}

func find(typ string) int {
	typ = essence(typ)
	for i := range known {
		if known[i].typ == typ {
			return i
		}
	}
	return -1
}

// Sniff returns the type of bytes that begin with head, of which it looks at the first 512. It is what
// http.DetectContentType returns, and more of the types that telephones and recorders make. SVG is
// text/xml or text/plain.
func Sniff(head []byte) string {
	head = head[:min(len(head), sniffed)]
	switch {
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return isoMedia(string(head[8:12]))
	case bytes.HasPrefix(head, []byte("\x1aE\xdf\xa3")):
		if bytes.Contains(head[:min(len(head), 64)], []byte("\x42\x82\x84webm")) { // its DocType
			return "video/webm"
		}
		return "video/x-matroska"
	case bytes.HasPrefix(head, []byte("OggS")):
		if len(head) >= 36 && slices.Contains([]string{"OpusHead", "\x01vorbis\x00", "\x7fFLAC\x01\x00"}, string(head[28:36])) {
			return "audio/ogg"
		}
		return "application/ogg"
	case bytes.HasPrefix(head, []byte("fLaC")):
		return "audio/flac"
	case isMP3(head):
		return "audio/mpeg"
	}
	return http.DetectContentType(head)
}

// isoMedia is the type of an ISO base media file of a major brand: the list at mp4ra.org.
func isoMedia(brand string) string {
	switch brand {
	case "avif", "avis":
		return "image/avif"
	case "heic", "heix", "heim", "heis", "mif1", "msf1":
		return "image/heic"
	case "M4A ", "M4B ":
		return "audio/mp4"
	case "qt  ":
		return "video/quicktime"
	case "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "M4V ", "MSNV", "dash":
		return "video/mp4"
	}
	return "application/octet-stream"
}

// isMP3 recognises the header of a frame of MPEG audio, layer 3: 11 bits of synchronisation, then
// version, layer, bit rate and sampling rate, none of which may be the reserved value. With a tag in
// front it is known to http.DetectContentType.
func isMP3(head []byte) bool {
	return len(head) >= 4 && head[0] == 0xff && head[1]&0xe0 == 0xe0 &&
		head[1]>>3&3 != 1 && head[1]>>1&3 == 1 && head[2]>>4 != 0xf && head[2]>>4 != 0 && head[2]>>2&3 != 3
}
