package gateway

import (
	"sync"

	"github.com/gatehouse-go/gatehouse/codec"
)

// compress=zlib-stream: one zlib context per connection, which everything that
// the connection is sent goes through, in order. It costs some 0.8 MB and cannot
// be shared: Limits.ZlibStreams bounds how many connections have one, and who
// asks for one more is served plain.

var zlibStreams = sync.Pool{New: func() any { return codec.NewZlibStream() }}

// takeZlib returns a compressor for a connection, or nil when there are as many
// as there may be.
func (g *Gateway) takeZlib() *codec.ZlibStream {
	if over(int(g.zlibs.Add(1)), g.limits.ZlibStreams) {
		g.zlibs.Add(-1)
		g.stats.zlibRefused.Add(1)
		return nil
	}
	z := zlibStreams.Get().(*codec.ZlibStream)
	z.Reset()
	return z
}

// giveZlib takes it back when nobody writes to the connection any more.
func (g *Gateway) giveZlib(z *codec.ZlibStream) {
	if z != nil {
		g.zlibs.Add(-1)
		zlibStreams.Put(z)
	}
}

// compress replaces text frames by binary ones with their compressed payload.
// What has gone through the stream must be sent: none of it can be put back.
func (sc *scratch) compress(z *codec.ZlibStream) {
	plain := sc.buf
	sc.buf, sc.packed = sc.packed[:0], plain
	for len(plain) > 0 {
		var payload, frame []byte
		payload, frame, plain = cutFrame(plain)
		if frame[0] != frameText {
			sc.buf = append(sc.buf, frame...)
			continue
		}
		sc.message = z.Append(sc.message[:0], payload)
		sc.buf = appendFrameHeader(sc.buf, frameBinary, len(sc.message))
		sc.buf = append(sc.buf, sc.message...)
	}
}
