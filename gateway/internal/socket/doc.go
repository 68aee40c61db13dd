// Package socket writes to a network connection without blocking, and says
// how much of the bytes the kernel took.
package socket
