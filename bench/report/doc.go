// Package report is what is made of runs: medians, ratios between servers within
// one round with their 90 % interval, tables and lines of JSON.
package report
