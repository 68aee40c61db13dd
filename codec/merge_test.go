package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// rfc7386 is the table of appendix A of RFC 7386.
var rfc7386 = []struct{ original, patch, result string }{
	{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
	{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
	{`{"a":"b"}`, `{"a":null}`, `{}`},
	{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
	{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
	{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
	{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
	{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
	{`["a","b"]`, `["c","d"]`, `["c","d"]`},
	{`{"a":"b"}`, `["c"]`, `["c"]`},
	{`{"a":"foo"}`, `null`, `null`},
	{`{"a":"foo"}`, `"bar"`, `"bar"`},
	{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
	{`[1,2]`, `{"a":"b","c":null}`, `{"a":"b"}`},
	{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
}

func TestApplyRFC(t *testing.T) {
	for _, tc := range rfc7386 {
		original := decoded(t, tc.original)
		got := Apply(original, decoded(t, tc.patch))
		if !reflect.DeepEqual(got, decoded(t, tc.result)) {
			t.Errorf("%s with %s: got %s, want %s", tc.original, tc.patch, mustJSON(got), tc.result)
		}
		if !reflect.DeepEqual(original, decoded(t, tc.original)) {
			t.Errorf("%s was changed to %s", tc.original, mustJSON(original))
		}
		checkDiff(t, original, got)
	}
}

func TestDiff(t *testing.T) {
	for _, tc := range []struct{ a, b, patch string }{
		{`{"a":1,"b":2}`, `{"a":1,"b":2}`, `{}`},
		{`{"a":1,"b":2}`, `{"a":1,"b":3}`, `{"b":3}`},
		{`{"a":1,"b":2}`, `{"a":1}`, `{"b":null}`},
		{`{"a":{"b":1,"c":2}}`, `{"a":{"b":1,"c":3}}`, `{"a":{"c":3}}`},
		{`{"a":{"b":1}}`, `{"a":{}}`, `{"a":{"b":null}}`},
		{`{"a":1}`, `{"a":{}}`, `{"a":{}}`},
		{`{}`, `{"a":{}}`, `{"a":{}}`},
		{`{"a":{}}`, `{"a":[]}`, `{"a":[]}`},
		{`{"a":[1,2]}`, `{"a":[1,null]}`, `{"a":[1,null]}`},
		{`{"a":null,"b":1}`, `{"a":null}`, `{"b":null}`},
		{`{"a":null}`, `{}`, `{"a":null}`},
		{`{"a":1}`, `null`, `null`},
		{`1`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{`1`, `1`, `1`},
		{`{"a":1}`, `{"a":null}`, `/a`},
		{`{}`, `{"a":{"b/~":null}}`, `/a/b~1~0`},
		{`1`, `{"a":null}`, `/a`},
		{`{"a":[null]}`, `{"a":{"b":null}}`, `/a/b`},
	} {
		patch, err := Diff(decoded(t, tc.a), decoded(t, tc.b))
		if member, refused := strings.CutPrefix(tc.patch, "/"); refused {
			if !errors.Is(err, ErrNull) || !strings.HasSuffix(err.Error(), ": /"+member+" (merge-patch)") {
				t.Errorf("%s to %s: got %v, want it to name %s", tc.a, tc.b, err, tc.patch)
			}
			continue
		}
		if err != nil || string(mustJSON(patch)) != tc.patch {
			t.Errorf("%s to %s: got %s, %v, want %s", tc.a, tc.b, mustJSON(patch), err, tc.patch)
		}
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := JSON.Decode([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func checkDiff(t *testing.T, a, b any) {
	t.Helper()
	before := fmt.Sprint(a, b)
	patch, err := Diff(a, b)
	if err != nil {
		if !errors.Is(err, ErrNull) || !nullMember(b) {
			t.Fatalf("%s to %s: %v", mustJSON(a), mustJSON(b), err)
		}
		return
	}
	if got := Apply(a, patch); !reflect.DeepEqual(got, b) {
		t.Fatalf("%s with %s: got %s, want %s", mustJSON(a), mustJSON(patch), mustJSON(got), mustJSON(b))
	}
	if after := fmt.Sprint(a, b); after != before {
		t.Fatalf("changed from %s to %s", before, after)
	}
}

// nullMember says whether v has a member that is null, inside objects only.
func nullMember(v any) bool {
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for _, m := range object {
		if m == nil || nullMember(m) {
			return true
		}
	}
	return false
}

// TestDiffExhaustive takes every pair of small values. A patch must work, and where Diff says that
// there is none, none of the small values may work as one.
func TestDiffExhaustive(t *testing.T) {
	leaves := []any{nil, 1.0, []any{nil}}
	inner := append(objects("x", "y", leaves), leaves...)
	values := append(objects("a", "b", inner[:5]), inner...)
	values = append(values, objects("a", "x", inner[12:])...)
	refused := 0
	for _, a := range values {
		for _, b := range values {
			checkDiff(t, a, b)
			if _, err := Diff(a, b); err == nil {
				continue
			}
			refused++
			for _, patch := range values {
				if reflect.DeepEqual(Apply(a, patch), b) {
					t.Fatalf("%s to %s is refused, but %s does it", mustJSON(a), mustJSON(b), mustJSON(patch))
				}
			}
		}
	}
	t.Logf("%d values, %d pairs, %d without a patch", len(values), len(values)*len(values), refused)
	if refused == 0 {
		t.Error("no pair was refused")
	}
}

// objects makes every object of up to two members with these names and values.
func objects(k1, k2 string, values []any) []any {
	all := []any{map[string]any{}}
	for _, v := range values {
		all = append(all, map[string]any{k1: v}, map[string]any{k2: v})
		for _, w := range values {
			all = append(all, map[string]any{k1: v, k2: w})
		}
	}
	return all
}
