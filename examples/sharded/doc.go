// Command sharded is three servers on three ports behind an nginx that it starts, with a page to
// talk in: each user is sent to one node, by name, and follows when nodes are added or taken away.
//
// node.go is a server as in the other examples. site.go has the nodes and changes how many there are:
// start nodes, reload nginx, move the sessions that belong elsewhere now. package nginx runs it. The nodes are in one process, so that a
// broker in memory can be theirs; with one on Redis or NATS each would be a process on a machine of its own.
package main
