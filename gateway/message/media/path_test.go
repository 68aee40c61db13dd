package media

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

const aHash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func TestClean(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"plain", "cat.png", "cat"},
		{"no ending", "cat", "cat"},
		{"empty", "", "file"},
		{"only an ending", ".htaccess", "file"},
		{"dots", "..", "file"},
		{"two endings", "archive.tar.gz", "archive.tar"},
		{"folders", "../../etc/passwd", "passwd"},
		{"folders of Windows", `C:\Windows\system.ini`, "system"},
		{"ends in a folder", "cat.png/", "file"},
		{"spaces", " a cat .png", "a_cat"},
		{"a new line", "cat\r\nSet-Cookie: a=b.png", "cat__Set-Cookie__a_b"},
		{"quotes", `a"b'c.png`, "a_b_c"},
		{"markup", "<svg onload=alert(1)>.png", "svg_onload_alert_1"},
		{"zero", "cat\x00.exe", "cat"},
		{"not UTF-8", "cat\xff\xfe.png", "cat"},
		{"right to left", "photo\u202egpj.exe", "photo_gpj"},
		{"other scripts", "Größe-猫-हिन्दी.png", "Größe-猫-हिन्दी"},
		{"escapes", "%2e%2e%2fcat.png", "2e_2e_2fcat"},
		{"long", strings.Repeat("a", 300) + ".png", strings.Repeat("a", 100)},
		{"long, in runes", strings.Repeat("猫", 300) + ".png", strings.Repeat("猫", 33)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := clean(tt.file); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParsePath(t *testing.T) {
	hash, _ := ParseHash(aHash)
	tests := []struct {
		name, path string
		end        string // empty: no path
	}{
		{"plain", "/" + aHash + "/cat.png", ".png"},
		{"dots in it", "/" + aHash + "/a.b.c.png", ".png"},
		{"root", "/", ""},
		{"empty", "", ""},
		{"no name", "/" + aHash, ""},
		{"an empty name", "/" + aHash + "/", ""},
		{"no ending", "/" + aHash + "/cat", ""},
		{"only an ending", "/" + aHash + "/.png", ""},
		{"no first slash", aHash + "/cat.png", ""},
		{"two slashes", "//" + aHash + "/cat.png", ""},
		{"more folders", "/" + aHash + "/x/cat.png", ""},
		{"upper case", "/" + strings.ToUpper(aHash) + "/cat.png", ""},
		{"short", "/" + aHash[1:] + "/cat.png", ""},
		{"long", "/" + aHash + "0/cat.png", ""},
		{"not hexadecimal", "/" + strings.Repeat("g", 64) + "/cat.png", ""},
		{"climbs", "/../../etc/passwd", ""},
		{"climbs behind", "/" + aHash + "/../cat.png", ""},
		{"backslash", "/" + aHash + `/..\cat.png`, ""},
		{"a new line", "/" + aHash + "/a\r\nb.png", ""},
		{"zero", "/" + aHash + "/a\x00.png", ""},
		{"not UTF-8", "/" + aHash + "/\xff.png", ""},
		{"too long", "/" + aHash + "/" + strings.Repeat("a", 101) + ".png", ""},
		{"ends in a dot", "/" + aHash + "/cat.", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, end, ok := parsePath(tt.path)
			if ok != (tt.end != "") || ok && (end != tt.end || h != hash) {
				t.Errorf("got %v, %q, %v", h, end, ok)
			}
		})
	}
}

// Whatever the path is, what is taken of it is one that Path gives.
func FuzzParsePath(f *testing.F) {
	f.Add("/" + aHash + "/cat.png")
	f.Add("/" + aHash + "/..png")
	f.Add("/" + aHash + "/a/../cat.png")
	f.Add("/../" + aHash)
	f.Fuzz(func(t *testing.T, p string) {
		h, end, ok := parsePath(p)
		if !ok {
			return
		}
		name := p[len("/")+len(aHash)+len("/"):]
		if !strings.HasSuffix(name, end) {
			t.Fatalf("%q does not end in %q", name, end)
		}
		want, err := url.PathUnescape(Path(Object{Hash: h, Type: "image/png"}, name))
		if err != nil || strings.TrimSuffix(p, end)+".png" != want {
			t.Fatalf("%q was taken, Path gives %q, %v", p, want, err)
		}
	})
}

// Whatever a file is called, its address is harmless and found again.
func FuzzPath(f *testing.F) {
	for _, name := range []string{"cat.png", "", "..", "a\r\nb", "\xff", "photo\u202egpj.exe", "a b.c d", ".x.", strings.Repeat("猫.", 90)} {
		f.Add(name, "image/png")
	}
	f.Fuzz(func(t *testing.T, name, typ string) {
		hash, _ := ParseHash(aHash)
		address := Path(Object{Hash: hash, Type: typ}, name)
		u, err := url.Parse("https://cdn.example.com/media" + address)
		if err != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q: %v", address, err)
		}
		p := strings.TrimPrefix(u.Path, "/media")
		got, end, ok := parsePath(p)
		if !ok || got != hash || end != ending(typ) {
			t.Fatalf("%q: %v, %q, %v", p, got, end, ok)
		}
		stem := strings.TrimSuffix(p[len("/")+len(aHash)+len("/"):], end)
		if len(stem) > maxStem || !utf8.ValidString(stem) || stem == "" || stem[0] == '.' {
			t.Fatalf("%q", stem)
		}
		for _, r := range stem {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Z) || strings.ContainsRune(`/\:*?"'<>|;,&%`, r) {
				t.Fatalf("%q has %q", stem, r)
			}
		}
	})
}

func FuzzParseHash(f *testing.F) {
	f.Add(aHash)
	f.Add(strings.ToUpper(aHash))
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHash(text)
		if err == nil && h.String() != text {
			t.Fatalf("%q is %v", text, h)
		}
	})
}
