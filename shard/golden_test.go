package shard

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden.json anew: every ring in the world then changes its owners")

// goldenFile is testdata/golden.json: what an implementation in another language must
// arrive at, and what no version of this package may change.
type goldenFile struct {
	Hashes []goldenHash `json:"hashes"` // XXH64, seed 0
	Draws  []goldenDraw `json:"draws"`  // a node's number for a slot, and its cost
	Rings  []goldenRing `json:"rings"`
}

type goldenHash struct {
	Key  string `json:"key"`
	Hash string `json:"hash"` // hexadecimal
}

type goldenDraw struct {
	Node  string `json:"node"`
	Slot  int    `json:"slot"`
	Score string `json:"score"` // hexadecimal
	Cost  string `json:"cost"`  // hexadecimal
}

type goldenRing struct {
	Nodes  []Node              `json:"nodes"`
	Owners map[string][]string `json:"owners"` // by key, in order of preference
	Table  string              `json:"table"`  // XXH64 of the owner of each slot, as two bytes, little endian, of its place by ID
}

func makeGolden(t *testing.T) (g goldenFile) {
	keys := []string{"", "a", "abc", "guild:7", "guild:197038439483310086", "user/ü", "\x00", strings.Repeat("0123456789", 10)}
	for _, key := range keys {
		g.Hashes = append(g.Hashes, goldenHash{key, fmt.Sprintf("%016x", Hash(key))})
	}
	for _, node := range []string{"0", "node-1", "10.0.0.1:8080"} {
		for _, slot := range []int{0, 1, 4711, slotCount - 1} {
			s := score(Hash(node), slot)
			g.Draws = append(g.Draws, goldenDraw{node, slot, fmt.Sprintf("%016x", s), fmt.Sprintf("%x", cost(s, octave()))})
		}
	}
	for _, nodes := range [][]Node{
		some(1, 1),
		some(3, 1),
		some(12, 1),
		{{ID: "10.0.0.1:8080", Weight: 1}, {ID: "10.0.0.2:8080", Weight: 2}, {ID: "10.0.0.3:8080", Weight: 5}},
		{{ID: "small", Weight: 1}, {ID: "large", Weight: MaxWeight}},
	} {
		r := mustRing(t, nodes...)
		table := make([]byte, 0, 2*slotCount)
		for _, node := range r.owner {
			table = binary.LittleEndian.AppendUint16(table, node)
		}
		owners := map[string][]string{}
		for _, key := range keys {
			owners[key] = r.Owners(key, 3)
		}
		g.Rings = append(g.Rings, goldenRing{nodes, owners, fmt.Sprintf("%016x", Hash(string(table)))})
	}
	return g
}

func TestGolden(t *testing.T) {
	const name = "testdata/golden.json"
	got := makeGolden(t)
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var want goldenFile
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}
