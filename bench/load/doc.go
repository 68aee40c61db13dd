// Package load is many WebSocket clients in one goroutine: one epoll, raw
// sockets, no goroutine and no buffer for a connection that is quiet. It looks at
// the headers of what it is sent and at little else, so that it costs less than
// the cheapest server.
//
// A [Crowd] is not safe for concurrent use: its owner calls [Crowd.Step] again and
// again.
package load
