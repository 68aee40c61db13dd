package house

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// direct is all that the root module may require by its own decision.
var direct = []string{
	"github.com/coder/websocket",
	"github.com/pierrec/lz4/v4",
	"github.com/vmihailenco/msgpack/v5",
}

// module is what `go mod edit -json` says of a go.mod that these rules ask about.
type module struct {
	Dir    string // from the repository's root; "." is the root module
	Module struct{ Path string }
	Go     string

	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []struct{ Old, New struct{ Path string } }
}

// checkModules lists what is wrong with the modules, and with a go.work that uses the given folders.
func checkModules(modules []module, uses []string) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, m := range modules {
		switch used := slices.Contains(uses, m.Dir); {
		case m.Dir == "bench" && used:
			say("go.work: uses bench, whose peers would weigh on every user's first command")
		case m.Dir != "bench" && !used:
			say("go.work: does not use %s", m.Dir)
		}
		if want := path.Join(root, m.Dir); m.Module.Path != want {
			say("%s: is module %s, want %s", m.Dir, m.Module.Path, want)
		}
		if m.Dir == "." {
			checkDirect(m, say)
		} else {
			checkReplaces(m, say)
		}
	}
	for _, use := range uses {
		if !slices.ContainsFunc(modules, func(m module) bool { return m.Dir == use }) {
			say("go.work: uses %s, which is no module", use)
		}
	}
	return problems
}

func checkDirect(m module, say func(string, ...any)) {
	for _, r := range m.Require {
		if !r.Indirect && !slices.Contains(direct, r.Path) {
			say("%s: requires %s, a dependency too many", m.Dir, r.Path)
		}
	}
	if len(m.Replace) > 0 {
		say("%s: has a replace, which its users would not get", m.Dir)
	}
}

// checkReplaces sees to it that a nested module builds with GOWORK=off in a checkout: it finds the
// root, and whatever else of ours it requires, beside itself.
func checkReplaces(m module, say func(string, ...any)) {
	want := map[string]bool{root: true}
	for _, r := range m.Require {
		if strings.HasPrefix(r.Path, root+"/") {
			want[r.Path] = true
		}
	}
	for _, old := range slices.Sorted(maps.Keys(want)) {
		dir, err := filepath.Rel(filepath.FromSlash(m.Dir), strings.TrimPrefix(strings.TrimPrefix(old, root), "/"))
		if err != nil {
			say("%s: %v", m.Dir, err)
			continue
		}
		dir = filepath.ToSlash(dir)
		found := slices.ContainsFunc(m.Replace, func(r struct{ Old, New struct{ Path string } }) bool {
			return r.Old.Path == old && r.New.Path == dir
		})
		if !found {
			say("%s: lacks replace %s => %s", m.Dir, old, dir)
		}
	}
}

// loadModules reads every go.mod below dir, and the folders that its go.work uses.
func loadModules(dir string) (modules []module, uses []string, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != dir && skipped(d.Name()):
			return fs.SkipDir
		case d.Name() != "go.mod":
			return nil
		}
		var m module
		if err := goJSON(&m, "mod", "edit", "-json", name); err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(name))
		m.Dir = filepath.ToSlash(rel)
		modules = append(modules, m)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var work struct{ Use []struct{ DiskPath string } }
	if err := goJSON(&work, "work", "edit", "-json", filepath.Join(dir, "go.work")); err != nil {
		return nil, nil, err
	}
	for _, use := range work.Use {
		uses = append(uses, path.Clean(use.DiskPath))
	}
	return modules, uses, nil
}

func goJSON(into any, args ...string) error {
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, into)
}

func TestModules(t *testing.T) {
	modules, uses, err := loadModules(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if len(modules) < 2 {
		t.Fatalf("found %d modules: is this the repository?", len(modules))
	}
	for _, problem := range checkModules(modules, uses) {
		t.Error(problem)
	}
}

func TestModulesOfABrokenHouse(t *testing.T) {
	const (
		rootMod = "module " + root + "\nrequire (\n\tgithub.com/coder/websocket v1.0.0\n\texample.com/x v1.0.0 // indirect\n)\n"
		nested  = "module " + root + "/adapters/a\nrequire " + root + " v0.0.0\nreplace " + root + " => ../..\n"
		bench   = "module " + root + "/bench\nreplace " + root + " => ..\n"
		work    = "go 1.26\nuse (\n\t.\n\t./adapters/a\n)\n"
	)
	tests := []struct {
		name string
		change, to,
		want string
	}{
		{"as it should be", "", "", ""},
		{"fourth direct dependency", "go.mod", rootMod + "require example.com/fourth v1.0.0\n", ".: requires example.com/fourth, a dependency too many"},
		{"indirect made direct", "go.mod", strings.Replace(rootMod, " // indirect", "", 1), ".: requires example.com/x, a dependency too many"},
		{"replace in the root", "go.mod", rootMod + "replace example.com/x => ./x\n", ".: has a replace, which its users would not get"},
		{"go.work without a module", "go.work", "use .\n", "go.work: does not use adapters/a"},
		{"go.work without the root", "go.work", "use ./adapters/a\n", "go.work: does not use ."},
		{"go.work with bench", "go.work", work + "use ./bench\n", "go.work: uses bench, whose peers would weigh on every user's first command"},
		{"go.work with a folder too many", "go.work", work + "use ./gone\n", "go.work: uses gone, which is no module"},
		{"nested without replace", "adapters/a/go.mod", "module " + root + "/adapters/a\n",
			"adapters/a: lacks replace " + root + " => ../.."},
		{"nested with a wrong replace", "adapters/a/go.mod", strings.Replace(nested, "../..", "../../..", 1),
			"adapters/a: lacks replace " + root + " => ../.."},
		{"nested needs another nested one", "adapters/a/go.mod", nested + "require " + root + "/adapters/b v0.0.0\n",
			"adapters/a: lacks replace " + root + "/adapters/b => ../b"},
		{"module path and folder differ", "adapters/a/go.mod", strings.Replace(nested, "adapters/a", "a", 1),
			"adapters/a: is module " + root + "/a, want " + root + "/adapters/a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			files := map[string]string{"go.mod": rootMod, "adapters/a/go.mod": nested, "bench/go.mod": bench, "go.work": work}
			files["testdata/go.mod"] = "module ignored\n"
			if tt.change != "" {
				files[tt.change] = tt.to
			}
			for name, text := range files {
				name = filepath.Join(dir, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			modules, uses, err := loadModules(dir)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, checkModules(modules, uses), tt.want)
		})
	}
}
