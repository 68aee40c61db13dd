package codec

import "compress/zlib"

// zlibLevel is chosen for memory first. What a writer of compress/flate holds after its first message, and
// what a MESSAGE_CREATE of 637 bytes costs in a stream of similar ones (Go 1.26, amd64, one core):
//
//	huffman-only   738 KB   437 bytes   6.2 µs   finds no repetition, and still has the tables for it
//	1            1,200 KB   103 bytes   2.8 µs   another algorithm, with tables of its own on top
//	2              814 KB    35 bytes   2.6 µs
//	4              814 KB    32 bytes   3.3 µs
//	6 (default)    814 KB    32 bytes   3.8 µs
//
// So no level is a cheap one: 0.65 MB are hash tables of fixed size that every level has. Level 4 is the
// fastest that compresses as well as the default does.
const zlibLevel = 4

// ZlibStream compresses the messages of one connection as Discord's compress=zlib-stream has them: one zlib
// stream (RFC 1950) for the life of the connection, in which each message ends with a sync flush, the bytes
// 00 00 FF FF. A message can only be read by who has read all those before it.
//
// A stream holds about 0.8 MB from its first message on, whatever is written, and cannot be shared: who
// offers it to strangers bounds how many there are, and keeps those of connections that have ended for
// others ([ZlibStream.Reset]). The zero value is not usable. Not safe for concurrent use.
type ZlibStream struct {
	out buffer // what w writes to: the caller's slice while in Append
	w   *zlib.Writer
}

// NewZlibStream returns a stream to which nothing was written. It holds next to nothing until something is.
func NewZlibStream() *ZlibStream {
	z := new(ZlibStream)
	z.w, _ = zlib.NewWriterLevel(&z.out, zlibLevel) // an error is an unknown level
	return z
}

// Append appends the compressed form of the connection's next message to dst and returns the extended slice.
// It keeps no reference to either; they must not overlap. The result must be sent, and in order: a stream
// of which a message was left out cannot be read on.
func (z *ZlibStream) Append(dst, message []byte) []byte {
	z.out.b = dst
	_, _ = z.w.Write(message) // an error is one of out, which has none
	_ = z.w.Flush()
	dst, z.out.b = z.out.b, nil
	return dst
}

// Reset makes z a stream to which nothing was written, for another connection. It keeps the memory: what was
// compressed before is forgotten, and cannot be seen in what follows.
func (z *ZlibStream) Reset() { z.w.Reset(&z.out) }
