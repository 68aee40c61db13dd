package house

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var (
	command    = regexp.MustCompile(`^(?:make|go (?:run|test|build|vet)) [^#]+`)
	span       = regexp.MustCompile("`([^`]+)`")
	makeTarget = regexp.MustCompile(`^make ([a-z][a-z0-9-]*)`)
	goPath     = regexp.MustCompile(` \./([\w./-]+)`)

	target    = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):([^=\n].*)?$`)
	described = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):.*## \S`)
)

// checkCommands lists the commands in the given pages that would not start: a target that the
// Makefile does not have, a folder that is not there. It also lists targets that `make help` would
// leave out.
func checkCommands(fsys fs.FS, pages []string) (problems []string, err error) {
	makefile, err := fs.ReadFile(fsys, "Makefile")
	if err != nil {
		return nil, err
	}
	targets := firstGroup(described, string(makefile))
	for _, name := range firstGroup(target, string(makefile)) {
		if !slices.Contains(targets, name) {
			problems = append(problems, fmt.Sprintf("Makefile: %s has no ## comment", name))
		}
	}
	for _, page := range pages {
		text, err := fs.ReadFile(fsys, page)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", page, err))
		}
		for _, command := range commands(string(text)) {
			for _, name := range firstGroup(makeTarget, command) {
				if !slices.Contains(targets, name) {
					problems = append(problems, fmt.Sprintf("%s: no target for %q", page, command))
				}
			}
			for _, dir := range firstGroup(goPath, command) {
				if _, err := fs.Stat(fsys, strings.TrimRight(strings.TrimSuffix(dir, "..."), "/")); err != nil {
					problems = append(problems, fmt.Sprintf("%s: no folder for %q", page, command))
				}
			}
		}
	}
	return problems, nil
}

// commands finds the commands in a page's code: lines of its blocks, and spans, that start with a tool's name.
func commands(page string) (found []string) {
	fenced := false
	for line := range strings.Lines(page) {
		spans := firstGroup(span, line)
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		if fenced || strings.HasPrefix(line, "    ") {
			spans = []string{strings.TrimPrefix(strings.TrimSpace(line), "$ ")}
		}
		for _, text := range spans {
			if c := command.FindString(text); c != "" {
				found = append(found, strings.TrimSpace(c))
			}
		}
	}
	return found
}

func firstGroup(re *regexp.Regexp, text string) (found []string) {
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		found = append(found, strings.TrimSpace(m[1]))
	}
	return found
}

func TestCommands(t *testing.T) {
	fsys := os.DirFS("../..")
	pages, err := fs.Glob(fsys, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	problems, err := checkCommands(fsys, append(pages, "README.md", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Error(problem)
	}
}

func TestCommandsOfABrokenHouse(t *testing.T) {
	const makefile = ".PHONY: test\ntest: ## run tests\n\tgo test\n\ncheck: test ## all\nX := 1\n"
	tests := []struct{ name, makefile, page, want string }{
		{"as it should be", makefile, "Run `make test`, then:\n\n    $ make check\n    go test ./codec/...   # one\n\n```sh\ngo run ./codec -x\n```\n", ""},
		{"target in a span", makefile, "`make tset`", `README.md: no target for "make tset"`},
		{"target in a block", makefile, "```\nmake tset  # runs\n```", `README.md: no target for "make tset"`},
		{"prose makes sense", makefile, "These rules\nmake sense together.", ""},
		{"folder", makefile, "    go run ./examples/chat -addr :1", `README.md: no folder for "go run ./examples/chat -addr :1"`},
		{"folder with dots", makefile, "`go test ./codex/...`", "README.md: no folder for \"go test ./codex/...\""},
		{"workspace", makefile, "`go test work`", ""},
		{"target without a comment", makefile + "dark:\n\ttrue\n", "", "Makefile: dark has no ## comment"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{
				"Makefile":     {Data: []byte(tt.makefile)},
				"README.md":    {Data: []byte(tt.page)},
				"codec/doc.go": {},
			}
			problems, err := checkCommands(fsys, []string{"README.md"})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, problems, tt.want)
		})
	}
}
