package codec

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
)

// Diff returns the JSON merge patch (RFC 7386) that turns a into b: Apply(a, patch) equals b. Values
// are as decoded into an any: objects are map[string]any, arrays []any. Equal objects have the empty
// object as their patch; when either value is not an object, the patch is b itself.
//
// In a merge patch null means "remove", so it cannot give a member the value null. When b has such a
// member, inside objects only, that a does not have as null already, no patch exists: Diff returns an
// [*Error] around ErrNull that names the member, and the caller sends b whole. Nulls inside arrays
// are no obstacle, since arrays are replaced whole. Numbers of different Go types are different; decode
// integers beyond 2^53 as json.Number, since as float64 two that differ can be equal.
//
// The patch shares values with b. Neither a nor b is changed.
func Diff(a, b any) (patch any, err error) {
	to, ok := b.(map[string]any)
	if !ok {
		return b, nil
	}
	from, _ := a.(map[string]any)
	return diffObject(from, to, nil)
}

// diffObject returns an empty patch when, and only when, from and to are equal objects.
func diffObject(from, to map[string]any, path []string) (map[string]any, error) {
	patch := map[string]any{}
	for k, b := range to {
		a, had := from[k]
		if b, ok := b.(map[string]any); ok {
			a, wasObject := a.(map[string]any)
			sub, err := diffObject(a, b, append(path, k))
			if err != nil {
				return nil, err
			}
			if len(sub) > 0 || !wasObject {
				patch[k] = sub
			}
			continue
		}
		if had && reflect.DeepEqual(a, b) {
			continue
		}
		if b == nil {
			why := fmt.Errorf("%w: %s", ErrNull, pointer(append(path, k)))
			return nil, &Error{Format: "merge-patch", Offset: -1, Err: why}
		}
		patch[k] = b
	}
	for k := range from {
		if _, kept := to[k]; !kept {
			patch[k] = nil
		}
	}
	return patch, nil
}

// pointer writes path as a JSON pointer (RFC 6901).
func pointer(path []string) string {
	var s strings.Builder
	for _, k := range path {
		s.WriteByte('/')
		s.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(k))
	}
	return s.String()
}

// Apply returns target with the JSON merge patch (RFC 7386) applied. Neither argument is changed: the
// objects on a changed path are copied, everything else is shared with the result.
func Apply(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	old, wasObject := target.(map[string]any)
	if wasObject && len(changes) == 0 {
		return target
	}
	result := make(map[string]any, len(old)+len(changes))
	maps.Copy(result, old)
	for k, change := range changes {
		if change == nil {
			delete(result, k)
		} else {
			result[k] = Apply(result[k], change)
		}
	}
	return result
}
