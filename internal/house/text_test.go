package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// forbidden is what no file of the repository may contain, with the reason.
var forbidden = []struct {
	re     *regexp.Regexp
	reason string
}{
	{regexp.MustCompile(`(?m)(?:^|[^\w./:-])/(?:home|root|Users|work|workspace|builds|private|mnt|opt|srv)/[\w.-]+`), "a path of one machine"},
	{regexp.MustCompile(`\b[A-Z]:\\{1,2}(?:Users|Documents)\b`), "a path of one machine"},
	{regexp.MustCompile(`(?i)\b(?:registry\.npmjs|registry\.yarnpkg|proxy\.golang|sum\.golang|files\.pythonhosted|pypi\.org|repo1?\.maven|npm\.pkg\.github|npm[m]irror|arti[f]actory)`), "a package registry's host"},
	{regexp.MustCompile(`"resolved"\s*:`), "a package registry's address in a lock file"},
	{regexp.MustCompile(`\b(?:TO` + `DO|FIX` + `ME|XX` + `X)\b`), "work left over: do it, or open an issue"},
}

// checkText lists the lines of a file that contain what is forbidden. Binary files have none.
func checkText(name string, data []byte) (problems []string) {
	if bytes.IndexByte(data, 0) >= 0 {
		return nil
	}
	for _, f := range forbidden {
		for _, at := range f.re.FindAllIndex(data, -1) {
			line := 1 + bytes.Count(data[:at[1]], []byte("\n"))
			problems = append(problems, fmt.Sprintf("%s:%d: %s", name, line, f.reason))
		}
	}
	return problems
}

// checkSleep lists the calls of time.Sleep in a test file that has no synctest bubble: a test that
// waits for the clock is slow when it is right and flaky when it is not.
func checkSleep(name string, src []byte) (problems []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` }) {
		return nil, nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
				problems = append(problems, fmt.Sprintf("%s:%d: time.Sleep outside a synctest bubble", name, fset.Position(n.Pos()).Line))
			}
		}
		return true
	})
	return problems, nil
}

// ourFiles lists the files that are or would be committed. Without git, or outside a clone, it is
// every file that is not hidden and not installed.
func ourFiles(dir string) (names []string, err error) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = dir
	if out, err := cmd.Output(); err == nil {
		return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }), nil
	}
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && d.Name() != ".ci" && name != dir
		switch {
		case err != nil:
			return err
		case d.IsDir() && (hidden || d.Name() == "node_modules" || d.Name() == "shots"):
			return fs.SkipDir
		case d.Type().IsRegular():
			rel, err := filepath.Rel(dir, name)
			names = append(names, rel)
			return err
		}
		return nil
	})
	return names, err
}

func TestText(t *testing.T) {
	dir := filepath.Join("..", "..")
	names, err := ourFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(names, func(name string) bool { return filepath.ToSlash(name) == "internal/house/text_test.go" }) {
		t.Fatalf("this file is not among the %d found: is this the repository?", len(names))
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue // deleted, and git does not know it yet
		}
		if err != nil {
			t.Error(err)
			continue
		}
		problems := checkText(name, data)
		if strings.HasSuffix(name, "_test.go") {
			sleeps, err := checkSleep(name, data)
			if err != nil {
				t.Error(err)
			}
			problems = append(problems, sleeps...)
		}
		for _, problem := range problems {
			t.Error(problem)
		}
	}
}

func TestBrokenText(t *testing.T) {
	const path, host, left = "f:1: a path of one machine", "f:1: a package registry's host", "f:1: work left over: do it, or open an issue"
	tests := []struct{ name, text, want string }{
		{"plain", "go run ./examples/chat", ""},
		{"home", "see /" + "home/ann/src", path},
		{"root's home", `"/` + `root/.cache"`, path},
		{"macOS home", "(/" + "Users/ann)", path},
		{"Windows home", `C:` + `\Users\ann`, path},
		{"checkout", "cd /" + "work/tree", path},
		{"at the start of a later line", "a\n/" + "home/ann", "f:2: a path of one machine"},
		{"system path", "/usr/bin/chromium and /tmp", ""},
		{"a route", "GET /api/v9/users/@me", ""},
		{"relative path", "../work/x and a/home/b", ""},
		{"npm", "https://registry." + "npmjs.org/x", host},
		{"Go proxy", "GOPROXY=proxy." + "golang.org", host},
		{"module path is no registry", "golang.org/x/tools", ""},
		{"lock file", `"resol` + `ved": "x"`, "f:1: a package registry's address in a lock file"},
		{"left over", "// TO" + "DO: mend", left},
		{"left over too", "// FIX" + "ME", left},
		{"inside a word", "AUTO" + "DOC", ""},
		{"context.TO" + "DO", "context.TO" + "DO()", left},
		{"binary", "\x00 TO" + "DO", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, checkText("f", []byte(tt.text)), tt.want)
		})
	}
}

func TestBrokenSleep(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"none", "package x\nfunc f() {}", ""},
		{"outside a bubble", "package x\nimport \"time\"\nfunc f() { time.Sleep(1) }", "f_test.go:3: time.Sleep outside a synctest bubble"},
		{"handed on", "package x\nimport \"time\"\nvar f = time.Sleep", "f_test.go:3: time.Sleep outside a synctest bubble"},
		{"inside", "package x\nimport (\"time\"; \"testing/synctest\")\nfunc f() { time.Sleep(1); synctest.Wait() }", ""},
		{"somebody else's Sleep", "package x\nfunc f() { clock.Sleep(1) }", ""},
		{"in a comment", "package x\n// time.Sleep(1)\nfunc f() {}", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			problems, err := checkSleep("f_test.go", []byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			expect(t, problems, tt.want)
		})
	}
}
