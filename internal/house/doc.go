// Package house tests the rules of the house that a compiler does not: what may import what, what
// each module may depend on, what every package brings with it, and what no file may contain.
//
// There is nothing here to import. Each rule is a function from its input to the list of what breaks
// it, and is tested twice: once on this repository, where the list must be empty, and once on a
// small house that breaks it, where it must not be.
//
//	for _, problem := range checkArrows(loadPackages(os.DirFS("../.."))) {
//		t.Error(problem)
//	}
//
// It guarantees no more than it reads: imports and declarations as they are written, in every file
// whatever its build constraints, without building anything and without the network.
// Style is not its concern; gofmt, go vet and staticcheck have that.
package house
