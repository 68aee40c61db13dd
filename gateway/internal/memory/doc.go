// Package memory says how much memory the process uses, and of how much.
package memory
