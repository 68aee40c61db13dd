package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// needExample are the rooms whose every importable package shows its idea in a checked Example.
var needExample = []string{"codec", "batch", "pool", "shard", "presence", "gateway", "gateway/message"}

// checkContents lists the packages that do not say what they are, or do not show it.
func checkContents(pkgs []pkg) (problems []string) {
	for _, p := range pkgs {
		starts := "Package " + p.Name + " "
		switch {
		case p.Name == "main" && p.Doc == "":
			problems = append(problems, fmt.Sprintf("%s: the command has no comment", p.Dir))
		case p.Name != "main" && !p.HasDocGo:
			problems = append(problems, fmt.Sprintf("%s: no doc.go", p.Dir))
		case p.Name != "main" && !strings.HasPrefix(p.Doc, starts):
			problems = append(problems, fmt.Sprintf("%s: doc.go does not start with %q", p.Dir, starts))
		}
		if p.Examples == 0 && slices.Contains(needExample, roomOf(p.Dir)) && !strings.Contains(p.Dir, "internal") {
			problems = append(problems, fmt.Sprintf("%s: no Example with an output", p.Dir))
		}
	}
	return problems
}

func TestContents(t *testing.T) {
	for _, problem := range checkContents(ourPackages(t)) {
		t.Error(problem)
	}
}

func TestContentsOfABrokenHouse(t *testing.T) {
	const (
		docGo   = "// Package pool says what it is.\npackage pool\n"
		example = "package pool_test\nfunc ExamplePool() {\n\tprintln()\n\t// Output: 1\n}\n"
		silent  = "package pool_test\nfunc ExamplePool() { println() }\n"
	)
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"as it should be", map[string]string{"pool/doc.go": docGo, "pool/example_test.go": example}, ""},
		{"comment in another file", map[string]string{"pool/pool.go": docGo, "pool/example_test.go": example}, "pool: no doc.go"},
		{"doc.go without a comment", map[string]string{"pool/doc.go": "package pool\n", "pool/example_test.go": example},
			`pool: doc.go does not start with "Package pool "`},
		{"comment in the wrong file", map[string]string{"pool/doc.go": "package pool\n", "pool/pool.go": docGo, "pool/example_test.go": example},
			`pool: doc.go does not start with "Package pool "`},
		{"no example", map[string]string{"pool/doc.go": docGo}, "pool: no Example with an output"},
		{"example that is not compared", map[string]string{"pool/doc.go": docGo, "pool/example_test.go": silent}, "pool: no Example with an output"},
		{"adapters need no example", map[string]string{"adapters/pool/doc.go": docGo}, ""},
		{"tests alone need doc.go too", map[string]string{"internal/x/x_test.go": "package x\n"}, "internal/x: no doc.go"},
		{"command", map[string]string{"examples/chat/main.go": "// Chat is a chat.\npackage main\n"}, ""},
		{"command without a comment", map[string]string{"examples/chat/main.go": "package main\n"}, "examples/chat: the command has no comment"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, src := range tt.files {
				fsys[name] = &fstest.MapFile{Data: []byte(src)}
			}
			pkgs, err := loadPackages(fsys)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, checkContents(pkgs), tt.want)
		})
	}
}
