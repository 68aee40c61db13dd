package gatewaytest

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// mutantSeeds is how many schedules may pass before a mutant must have failed.
func mutantSeeds(rule string) int {
	if rule == "C2" {
		return 5000 // it takes a node that is killed at the right time, which few schedules have
	}
	return 1000
}

// TestMutants breaks the gateway in the ways of testdata/mutants, each a patch
// against one rule, in a copy of the module, and demands that the schedules
// notice. It runs where MUTANTS is set: "all", or a part of the names.
func TestMutants(t *testing.T) {
	wanted := os.Getenv("MUTANTS")
	if wanted == "" {
		t.Skip("MUTANTS is not set: see make mutants")
	}
	patches, err := filepath.Glob("testdata/mutants/*.patch")
	if err != nil || len(patches) == 0 {
		t.Fatalf("%d patches, %v", len(patches), err)
	}
	rules := make(map[string]int)
	t.Run("none", func(t *testing.T) {
		if out, err := runMutant(t, copyModule(t), mutantSeeds("")); err != nil {
			t.Fatalf("the schedules fail without a mutant: %v\n%s", err, out)
		}
	})
	if t.Failed() {
		return
	}
	for _, patch := range patches {
		name := strings.TrimSuffix(filepath.Base(patch), ".patch")
		rule, _, _ := strings.Cut(name, "-")
		rules[rule]++
		if wanted != "all" && !strings.Contains(name, wanted) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			root := copyModule(t)
			text, err := os.ReadFile(patch)
			if err != nil {
				t.Fatal(err)
			}
			apply := exec.Command("git", "apply", "-C1", "-")
			apply.Dir, apply.Stdin = root, bytes.NewReader(text)
			if out, err := apply.CombinedOutput(); err != nil {
				t.Fatalf("%s does not apply any more. The code that it breaks has changed: write it anew for the rule that it names.\n%s", patch, out)
			}
			began := time.Now()
			out, err := runMutant(t, root, mutantSeeds(rule))
			if err == nil {
				t.Fatalf("%d schedules do not notice it", mutantSeeds(rule))
			}
			fmt.Printf("mutant %-32s noticed in %4.1fs: %s\n", name, time.Since(began).Seconds(), symptom(out))
		})
	}
	for _, rule := range []string{"S1", "S2", "S5", "W5"} {
		if rules[rule] < 2 {
			t.Errorf("%d mutants of %s", rules[rule], rule)
		}
	}
}

// runMutant plays the schedules of a copy of the module. What does not compile
// fails the test.
func runMutant(t *testing.T, root string, seeds int) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	dir := filepath.Join(root, "gateway", "gatewaytest")
	env := append(os.Environ(), "GOWORK=off", fmt.Sprint("SEEDS=", seeds), "SEED=", "FIRST=", "MUTANTS=")
	build := exec.CommandContext(ctx, "go", "test", "-trimpath", "-c", "-o", "schedules.test", ".")
	build.Dir, build.Env = dir, env
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("it does not compile: %v\n%s", err, out)
	}
	play := exec.CommandContext(ctx, filepath.Join(dir, "schedules.test"), "-test.run=^TestSchedules$", "-test.timeout=2m")
	play.Dir, play.Env = dir, env
	return play.CombinedOutput()
}

var (
	inProgress = regexp.MustCompile(`gatewaytest\.play\([^,]*, (0x[0-9a-f]+)`)
	failed     = regexp.MustCompile(`seed \d+ \([^)]*\): .*`)
)

// symptom finds in a test's output what was noticed.
func symptom(out []byte) string {
	if line := failed.Find(out); line != nil {
		return strings.ReplaceAll(string(line), "gatewaytest: ", "")
	}
	for _, line := range strings.Split(string(out), "\n") {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			for _, seed := range inProgress.FindAllSubmatch(out, -1) {
				line += " (seed " + string(seed[1]) + ")"
			}
			return line
		}
	}
	return "it failed"
}

// copyModule copies the root module's Go files to a folder of the test's.
func copyModule(t *testing.T) string {
	t.Helper()
	from, to := filepath.Join("..", ".."), t.TempDir()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(name, "go.mod"))
			hidden := strings.HasPrefix(d.Name(), ".") && name != from
			if name != from && (nested == nil || hidden || d.Name() == "node_modules" || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if ext := filepath.Ext(name); ext != ".go" && ext != ".dict" && rel != "go.mod" && rel != "go.sum" {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
