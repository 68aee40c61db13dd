// Package alert decides when a value has been bad for long enough to say so,
// and good for long enough to take it back. It knows no clock, no metric and
// nobody to tell.
package alert
