package house

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const root = "github.com/gatehouse-go/gatehouse"

// pkg is one directory of Go files, as written: no build constraint leaves a file out.
type pkg struct {
	Dir         string   // from the repository's root, with slashes; "." is the root itself
	Name        string   // of its non-test files; empty if there are none
	Doc         string   // package comment in doc.go, or in any file of a command
	HasDocGo    bool     // a file doc.go
	Examples    int      // Example functions whose output go test compares
	Imports     []string // directories of ours that its non-test files import
	TestImports []string // directories of ours that its test files import
}

// loadPackages reads every package below fsys. It leaves out what the go command leaves out.
func loadPackages(fsys fs.FS) ([]pkg, error) {
	var pkgs []pkg
	err := fs.WalkDir(fsys, ".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if dir != "." && skipped(d.Name()) {
			return fs.SkipDir
		}
		files, err := fs.Glob(fsys, path.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			return err
		}
		p, err := loadPackage(fsys, dir, files)
		pkgs = append(pkgs, p)
		return err
	})
	return pkgs, err
}

func skipped(dir string) bool {
	return dir == "testdata" || dir == "node_modules" || strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_")
}

func loadPackage(fsys fs.FS, dir string, files []string) (pkg, error) {
	p := pkg{Dir: dir}
	var tests []*ast.File
	fset := token.NewFileSet()
	for _, name := range files {
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return p, err
		}
		file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return p, err
		}
		if strings.HasSuffix(name, "_test.go") {
			tests = append(tests, file)
			p.TestImports = append(p.TestImports, ours(file)...)
			continue
		}
		p.Name = file.Name.Name
		p.Imports = append(p.Imports, ours(file)...)
		isDocGo := path.Base(name) == "doc.go"
		p.HasDocGo = p.HasDocGo || isDocGo
		if isDocGo || p.Name == "main" {
			p.Doc += file.Doc.Text()
		}
	}
	for _, example := range doc.Examples(tests...) {
		if example.Output != "" || example.EmptyOutput {
			p.Examples++
		}
	}
	p.Imports, p.TestImports = unique(p.Imports), unique(p.TestImports)
	return p, nil
}

// ours are the directories of this repository that a file imports.
func ours(file *ast.File) (dirs []string) {
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if dir, ok := strings.CutPrefix(imported, root+"/"); ok {
			dirs = append(dirs, dir)
		} else if imported == root {
			dirs = append(dirs, ".")
		}
	}
	return dirs
}

func unique(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}
