// Package socket writes to a network connection without blocking, and says how
// much of the bytes were taken.
//
// How depends on what the connection is, and stays so for its life:
//
//   - a TCP connection is written straight, by write(2) on its descriptor;
//   - TLS above a connection of [Listen] too: what the kernel does not take of
//     a record waits below TLS, which never notices;
//   - a connection with a method TryWrite, as in-memory ones have, by that;
//   - anything else only by blocking writes.
//
// The first three are called straight.
package socket
