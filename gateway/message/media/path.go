package media

import (
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxStem is the most bytes of a name without its ending.
const maxStem = 100

// Path is the address of an object below HandlerOptions.URL: /HASH/NAME, escaped. The name is what its
// author called the file, cleaned, with the ending of the object's type in place of its own. Any
// name leads to the same bytes; the object does not know it.
func Path(o Object, name string) string {
	u := url.URL{Path: "/" + o.Hash.String() + "/" + clean(name) + ending(o.Type)}
	return u.EscapedPath()
}

// parsePath reads what Path gives, unescaped, and nothing else. Whether the ending is that of the object is
// for who has opened it.
func parsePath(p string) (h Hash, end string, ok bool) {
	text, name, ok := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	if !ok {
		return h, "", false
	}
	h, err := ParseHash(text)
	end = path.Ext(name)
	stem := strings.TrimSuffix(name, end)
	// One ending more, which clean takes off.
	ok = err == nil && p == "/"+text+"/"+name && len(end) > 1 && stem == clean(stem+".x")
	return h, end, ok
}

// clean makes a harmless name of what somebody calls a file: without folders and ending, of letters, digits,
// dashes, underscores and dots between them, in any script.
func clean(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSuffix(name, path.Ext(name))
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '_'
		case unicode.In(r, unicode.L, unicode.M, unicode.N), strings.ContainsRune("-_.", r):
			return r
		}
		return '_' // marks of direction too, which make gpj.exe of exe.jpg
	}, name)
	if len(name) > maxStem {
		name = strings.ToValidUTF8(name[:maxStem], "")
	}
	if name = strings.Trim(name, "._"); name == "" {
		return "file"
	}
	return name
}
