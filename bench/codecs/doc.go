// Package codecs is the ways to put events on the wire, side by side: how many bytes
// each sends, what processor time it takes at either end, and what it holds for every
// connection.
//
// All begin with the canonical JSON of an event's data, which a gateway has once it
// is published, and end with the Go value that a client makes of what it was sent. A
// message is an event, or an array of events. The envelope around it, some 40 bytes
// that are the same for all, is not counted.
package codecs
