// Package servers is one job on many libraries: everybody who connects is sent
// every event. [Run] is the process that one of them runs in, which does what it
// is told on its standard input and answers on its standard output, a line each;
// it ends with its input.
package servers
