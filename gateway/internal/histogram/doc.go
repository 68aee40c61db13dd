// Package histogram counts durations, so that quantiles can be told of all of
// them and of the last half minute.
package histogram
