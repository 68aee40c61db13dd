package gateway

import (
	"fmt"
	"io"
	"runtime"
	"testing"
)

// BenchmarkFanout publishes to sessions whose clients, in this process, throw
// away what they read: the figure is of both ends.
func BenchmarkFanout(b *testing.B) {
	for _, subs := range []int{100, 1000} {
		for _, query := range []string{"", "?encoding=msgpack"} {
			b.Run(fmt.Sprintf("subs=%d%s", subs, query), func(b *testing.B) {
				g, url := testGateway(b, func(o *Options) {
					subscribeTo("t")(o)
					o.Limits.ConnectionsPerAddress = -1
				})
				for i := range subs {
					c := dialRaw(b, url+query)
					data, kind := []byte(fmt.Sprintf(`{"op":2,"d":{"token":"u%d"}}`, i)), byte(wsText)
					if query != "" {
						data, kind = formMsgPack.appendBody(nil, data), wsBinary
					}
					c.write(frame(0x80|kind, data))
					c.until("READY")
					go io.Copy(io.Discard, c.nc)
				}
				ev := Event{Type: "MESSAGE_CREATE", Data: map[string]string{"content": "hello, everybody, this is about as long as a message is"}}
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					start := g.stats.delivered.Load()
					g.Publish(b.Context(), "t", ev)
					for g.stats.delivered.Load() < start+uint64(subs) {
						runtime.Gosched()
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*subs), "ns/delivery")
			})
		}
	}
}
