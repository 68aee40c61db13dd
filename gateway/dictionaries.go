package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
)

// dictionaries are those that a client may have its events compressed with, by
// their ids and by their hashes.
type dictionaries struct {
	forms  map[string]*form
	byHash map[string]*codec.Dictionary
	list   []byte // the answer to GET PATH/dictionaries
}

// openDictionaries makes a form of each dictionary.
func openDictionaries(all []*codec.Dictionary) (dictionaries, error) {
	d := dictionaries{forms: make(map[string]*form, len(all)), byHash: make(map[string]*codec.Dictionary, len(all))}
	list := make([]map[string]any, 0, len(all))
	for i, dict := range all {
		switch {
		case dict == nil:
			return d, fmt.Errorf("dictionary %d is nil", i)
		case d.forms[dict.ID()] != nil:
			return d, fmt.Errorf("two dictionaries have the id %q", dict.ID())
		}
		d.forms[dict.ID()] = formDictionary(dict)
		d.byHash[dict.Hash()] = dict
		list = append(list, map[string]any{"id": dict.ID(), "hash": dict.Hash(), "size": len(dict.Bytes())})
	}
	var err error
	d.list, err = codec.AppendJSON(nil, map[string]any{"dictionaries": list})
	return d, err
}

// named returns the form for the dictionary that a client names: by its id, and
// if it says one by its hash. It is nil when there is none such.
func (d *dictionaries) named(id, hash string) *form {
	f := d.forms[id]
	if f == nil || hash != "" && hash != f.dictionary.Hash() {
		return nil
	}
	return f
}

// serve answers GET PATH/dictionaries, and PATH/dictionaries/HASH with the bytes
// of one, which its URL names for ever. rest is what follows PATH/dictionaries.
func (d *dictionaries) serve(w http.ResponseWriter, r *http.Request, rest string) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*") // there is nothing of anybody's in a dictionary
	if rest == "" {
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Type", "application/json")
		w.Write(d.list)
		return
	}
	hash := rest[1:]
	dict := d.byHash[hash]
	if dict == nil {
		http.Error(w, "gateway: no dictionary has this hash", http.StatusNotFound)
		return
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", `"`+hash+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(dict.Bytes()))
}

// cutDictionaries reports whether a request's path is that of the dictionaries,
// or of one, and what follows.
func cutDictionaries(path string) (rest string, ok bool) {
	i := strings.LastIndex(path, "/dictionaries")
	if i < 0 {
		return "", false
	}
	rest = strings.TrimRight(path[i+len("/dictionaries"):], "/")
	return rest, rest == "" || rest[0] == '/' && !strings.Contains(rest[1:], "/")
}
