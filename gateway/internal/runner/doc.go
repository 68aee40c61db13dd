// Package runner runs jobs of many owners on a bounded number of goroutines:
// the jobs of one owner one at a time and in order, owners in turn.
package runner
