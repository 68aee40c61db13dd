package house

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// arrows is the house plan: what each room may import, in files that are not tests. A room is the
// package of that name and everything below it that is not a room of its own. It may import within
// itself and what stands on its right side here; every package must be in a room.
var arrows = map[string][]string{
	"codec":                           {},
	"batch":                           {},
	"pool":                            {},
	"shard":                           {},
	"shard/shardtest":                 {"shard"},
	"presence":                        {},
	"presence/presencetest":           {"presence"},
	"gateway":                         {"codec", "batch", "pool", "shard", "presence"},
	"gateway/client":                  {"codec"},
	"gateway/gatewaytest":             {"gateway", "codec", "presence"},
	"gateway/message":                 {"batch", "shard"},
	"gateway/message/messagetest":     {"gateway/message"},
	"gateway/message/media":           {},
	"gateway/message/media/mediatest": {"gateway/message/media"},
	"adapters/*":                      {"gateway", "gateway/message", "presence", "shard"}, // whose interfaces they fill
	"examples/*":                      {"*"},
	"examples/backends":               {"examples/chat"},    // whose code it shares, besides
	"examples/cluster":                {"examples/sharded"}, // runs the same nginx
	"bench":                           {"*"},
	"internal/*":                      {"*"},
}

// testArrows is what the tests of a room may import besides: rooms that it is made to work with, for
// its examples.
var testArrows = map[string][]string{
	"gateway/message": {"gateway"},
}

// checkArrows lists the imports that the plan does not have.
func checkArrows(pkgs []pkg) (problems []string) {
	for _, p := range pkgs {
		room := roomOf(p.Dir)
		if _, known := arrows[pattern(room)]; !known {
			problems = append(problems, fmt.Sprintf("%s: no room of the house plan", p.Dir))
			continue
		}
		for _, to := range p.Imports {
			if !mayImport(room, to) {
				problems = append(problems, fmt.Sprintf("%s: imports %s", p.Dir, to))
			}
		}
		for _, to := range p.TestImports {
			if !mayImport(room, to) && !testMayImport(room, to) {
				problems = append(problems, fmt.Sprintf("%s: its tests import %s", p.Dir, to))
			}
		}
	}
	return problems
}

// mayImport reports whether a package of the room may import the package in to.
func mayImport(room, to string) bool {
	target := roomOf(to)
	switch {
	case target == room:
		return true
	case inAny(target, "examples", "bench"):
		return slices.Contains(arrows[room], target)
	case inAny(target, "internal"):
		return inAny(room, "internal", "bench") // neither is anything that a user imports
	}
	allowed := arrows[pattern(room)]
	return slices.Contains(allowed, target) || slices.Contains(allowed, "*")
}

// testMayImport reports what the tests of a room may import beyond what its code may: helpers in
// internal, the kits of the room and of those that it may import, and what testArrows has.
func testMayImport(room, to string) bool {
	kitOf := path.Dir(to)
	isKit := strings.HasSuffix(to, "test") && (kitOf == room || mayImport(room, kitOf))
	return isKit || inAny(to, "internal") || slices.Contains(testArrows[room], to)
}

// roomOf is the longest room that dir is in: its own name if the plan does not have it.
func roomOf(dir string) string {
	for room := dir; ; room = room[:strings.LastIndexByte(room, '/')] {
		if _, ok := arrows[pattern(room)]; ok {
			return room
		}
		if !strings.Contains(room, "/") {
			return dir
		}
	}
}

// pattern is the room's name in the plan: adapters/redis and adapters/nats are both adapters/*.
func pattern(room string) string {
	if parent, _, ok := strings.Cut(room, "/"); ok && inAny(parent, "adapters", "examples", "internal") && strings.Count(room, "/") == 1 {
		return parent + "/*"
	}
	return room
}

func inAny(dir string, parents ...string) bool {
	return slices.ContainsFunc(parents, func(parent string) bool {
		return dir == parent || strings.HasPrefix(dir, parent+"/")
	})
}

func TestArrows(t *testing.T) {
	pkgs := ourPackages(t)
	if len(pkgs) < 5 {
		t.Fatalf("found %d packages: is this the repository?", len(pkgs))
	}
	for _, problem := range checkArrows(pkgs) {
		t.Error(problem)
	}
}

func TestArrowsOfABrokenHouse(t *testing.T) {
	tests := []struct {
		name, file, imports string
		want                string // empty: the arrow is in the plan
	}{
		{"leaf imports leaf", "pool/pool.go", "batch", "pool: imports batch"},
		{"leaf imports gateway", "codec/codec.go", "gateway", "codec: imports gateway"},
		{"leaf's test imports leaf", "shard/shard_test.go", "pool", "shard: its tests import pool"},
		{"leaf imports its kit", "presence/presence.go", "presence/presencetest", "presence: imports presence/presencetest"},
		{"leaf's test imports its kit", "presence/presence_test.go", "presence/presencetest", ""},
		{"leaf's test imports another's kit", "pool/pool_test.go", "presence/presencetest", "pool: its tests import presence/presencetest"},
		{"kit imports its leaf", "presence/presencetest/kit.go", "presence", ""},
		{"package below a leaf imports another leaf", "codec/internal/wire/wire.go", "batch", "codec/internal/wire: imports batch"},
		{"gateway imports a leaf", "gateway/gateway.go", "pool", ""},
		{"gateway imports message", "gateway/gateway.go", "gateway/message", "gateway: imports gateway/message"},
		{"gateway imports an adapter", "gateway/gateway.go", "adapters/sqlite", "gateway: imports adapters/sqlite"},
		{"gateway imports the root", "gateway/gateway.go", "", "gateway: imports ."},
		{"gateway imports internal", "gateway/gateway.go", "internal/clock", "gateway: imports internal/clock"},
		{"gateway's test imports internal", "gateway/gateway_test.go", "internal/clock", ""},
		{"gateway's outside test imports itself", "gateway/gateway_test.go", "gateway", ""},
		{"message imports batch", "gateway/message/message.go", "batch", ""},
		{"message imports shard", "gateway/message/message.go", "shard", ""},
		{"message imports gateway", "gateway/message/message.go", "gateway", "gateway/message: imports gateway"},
		{"message's test imports gateway", "gateway/message/message_test.go", "gateway", ""},
		{"message's test imports pool", "gateway/message/message_test.go", "pool", "gateway/message: its tests import pool"},
		{"message's kit's test imports gateway", "gateway/message/messagetest/kit_test.go", "gateway", "gateway/message/messagetest: its tests import gateway"},
		{"message imports pool", "gateway/message/message.go", "pool", "gateway/message: imports pool"},
		{"media imports message", "gateway/message/media/store.go", "gateway/message", "gateway/message/media: imports gateway/message"},
		{"media's test imports its kit", "gateway/message/media/disk_test.go", "gateway/message/media/mediatest", ""},
		{"adapter fills an interface", "adapters/redis/redis.go", "presence", ""},
		{"adapter imports a leaf without one", "adapters/redis/redis.go", "batch", "adapters/redis: imports batch"},
		{"adapter imports an adapter", "adapters/redis/redis.go", "adapters/nats", "adapters/redis: imports adapters/nats"},
		{"adapter imports what is below it", "adapters/redis/redis.go", "adapters/redis/resp", ""},
		{"adapter's test imports a kit", "adapters/redis/redis_test.go", "gateway/message/messagetest", ""},
		{"example imports what it likes", "examples/chat/main.go", "adapters/sqlite", ""},
		{"example imports an example", "examples/chat/main.go", "examples/cluster", "examples/chat: imports examples/cluster"},
		{"example shares the chat's code", "examples/backends/main.go", "examples/chat/server", ""},
		{"the chat imports who shares its code", "examples/chat/main.go", "examples/backends", "examples/chat: imports examples/backends"},
		{"example imports internal", "examples/chat/main.go", "internal/clock", "examples/chat: imports internal/clock"},
		{"internal imports internal", "internal/net/net.go", "internal/clock", ""},
		{"internal imports bench", "internal/interop/x_test.go", "bench/load", "internal/interop: its tests import bench/load"},
		{"bench imports internal", "bench/codecs/events.go", "internal/corpus", ""},
		{"bench imports gateway", "bench/load/load.go", "gateway", ""},
		{"a room without a plan", "util/util.go", "codec", "util: no room of the house plan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := fmt.Sprintf("package x\nimport _ %q\n", strings.TrimSuffix(root+"/"+tt.imports, "/"))
			pkgs, err := loadPackages(fstest.MapFS{tt.file: {Data: []byte(src)}})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, checkArrows(pkgs), tt.want)
		})
	}
}

func ourPackages(t *testing.T) []pkg {
	t.Helper()
	pkgs, err := loadPackages(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// expect fails unless problems is the one in want, or none if want is empty.
func expect(t *testing.T, problems []string, want string) {
	t.Helper()
	if got := strings.Join(problems, "\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
