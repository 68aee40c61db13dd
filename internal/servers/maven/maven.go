package maven

import (
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Names are the servers that there is a pom.xml for.
var Names = []string{"kafka", "cassandra"}

//go:embed kafka/pom.xml cassandra/pom.xml
var poms embed.FS

// Jars is the folder with everything that the named server runs on, and an error if Fetch has not brought it yet.
// A class path has it as that folder with /*.
func Jars(name string) (dir string, err error) {
	dir, _, err = folder(name)
	if err != nil {
		return "", err
	}
	_, err = os.Stat(dir)
	return dir, err
}

// Fetch brings what Jars looks for, unless it is there. What was cut short leaves nothing behind that Jars would find,
// and several may fetch at once.
func Fetch(ctx context.Context, name string) error {
	dir, pom, err := folder(name)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	partial, err := os.MkdirTemp(filepath.Dir(dir), name+"-partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial)
	jars := filepath.Join(partial, "jars")
	if err := os.WriteFile(filepath.Join(partial, "pom.xml"), pom, 0o644); err != nil {
		return err
	}
	mvn := exec.CommandContext(ctx, "mvn", "--batch-mode", "--quiet", "-Dstyle.color=never", "dependency:copy-dependencies", "-DoutputDirectory="+jars)
	mvn.Dir, mvn.Stdout, mvn.Stderr = partial, os.Stderr, os.Stderr
	if err := mvn.Run(); err != nil {
		return fmt.Errorf("maven: fetch what %s runs on: %w", name, err)
	}
	err = os.Rename(jars, dir)
	if _, there := os.Stat(dir); there == nil {
		return nil // ours, or that of somebody who was faster
	}
	return err
}

// folder is where the jars of a server belong, and the pom.xml that lists them.
func folder(name string) (dir string, pom []byte, err error) {
	pom, err = poms.ReadFile(name + "/pom.xml")
	if err != nil {
		return "", nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(cache, "gatehouse", fmt.Sprintf("%s-%.6x", name, sha256.Sum256(pom))), pom, nil
}
