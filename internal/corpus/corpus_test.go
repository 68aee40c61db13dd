package corpus

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sync"
	"testing"
	"unicode/utf8"
)

// Made once: it takes a while under the race detector.
var training, heldOut = sync.OnceValue(Training), sync.OnceValue(HeldOut)

func TestEvents(t *testing.T) {
	for name, events := range map[string][]Event{"training": training(), "held out": heldOut()} {
		seen := map[string]int{}
		for _, e := range events {
			seen[e.Type]++
			if !json.Valid(e.Data) || !utf8.Valid(e.Data) || e.Data[0] != '{' {
				t.Fatalf("%s: %s", e.Type, e.Data)
			}
		}
		total := 0
		for _, m := range mix {
			want := float64(len(events)*m.share) / 1000
			if got := float64(seen[m.kind]); math.Abs(got-want) > 5*math.Sqrt(want) {
				t.Errorf("%s: %v of %s, want about %v", name, got, m.kind, want)
			}
			total += m.share
		}
		if total != 1000 {
			t.Errorf("the shares add up to %d", total)
		}
	}
}

// TestSame: default.dict of package codec is trained on exactly these bytes.
func TestSame(t *testing.T) {
	sum := sha256.New()
	for _, e := range slices.Concat(training(), heldOut()) {
		sum.Write([]byte(e.Type))
		sum.Write(e.Data)
	}
	if got, want := fmt.Sprintf("%x", sum.Sum(nil)), "b5f200feae5ad458ec0261cea30f1e82f53c994346dd1e3ff5d2ee9034b3742c"; got != want {
		t.Errorf("the hash of all events is %s, want %s", got, want)
	}
}

// TestDisjoint: no id and no hash occurs in both.
func TestDisjoint(t *testing.T) {
	unique := regexp.MustCompile(`\b[0-9]{17,19}\b|\b(?:a_)?[0-9a-f]{32}\b`)
	find := func(events []Event) map[string]bool {
		found := map[string]bool{}
		for _, e := range events {
			for _, s := range unique.FindAllString(string(e.Data), -1) {
				found[s] = true
			}
		}
		return found
	}
	old, fresh := find(training()), find(heldOut())
	if len(old) < 10_000 || len(fresh) < 10_000 {
		t.Fatalf("%d and %d ids and hashes: is this the corpus?", len(old), len(fresh))
	}
	for s := range fresh {
		if old[s] {
			t.Errorf("%s is in both", s)
		}
	}
}
