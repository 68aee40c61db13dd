package codecs

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse-go/gatehouse/codec"
)

const (
	zstdDictionary = 16 << 10 // bytes of it, at most
	zstdID         = 1 << 15  // the first number that is anybody's
)

// zstdOptions are for one goroutine at a time, at zstd's default level, with nothing
// in a frame that is not needed.
var zstdOptions = []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false)}

// trainZstd makes a dictionary with the entropy tables of these events, in
// MessagePack.
func trainZstd(events []Event) ([]byte, error) {
	var samples [][]byte
	for _, e := range events {
		body, err := appendMsgPack(nil, e.Data)
		if err != nil {
			return nil, err
		}
		samples = append(samples, body)
	}
	return dict.BuildZstdDict(samples, dict.Options{MaxDictSize: zstdDictionary, HashBytes: 6, ZstdDictID: zstdID, ZstdLevel: zstd.SpeedDefault})
}

// zstdEncoder compresses each message by itself, against a dictionary.
func zstdEncoder(trained []byte) func() (encode, error) {
	return func() (encode, error) {
		z, err := zstd.NewWriter(nil, append(zstdOptions, zstd.WithEncoderDict(trained), zstd.WithSingleSegment(true))...)
		if err != nil {
			return nil, err
		}
		return packed(func(dst, body []byte) []byte { return z.EncodeAll(body, dst) })()
	}
}

func zstdDecoder(trained []byte) func() (decode, error) {
	return func() (decode, error) {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderDicts(trained))
		if err != nil {
			return nil, err
		}
		var body []byte
		return func(sent []byte, _ int, v any) (err error) {
			if body, err = z.DecodeAll(sent, body[:0]); err != nil {
				return err
			}
			return codec.MsgPack.Decode(body, v)
		}, nil
	}
}

// zstdStreamWindow is how far a stream looks back: as far as zlib-stream does, four
// times. More costs memory, and gains little on events.
const zstdStreamWindow = 128 << 10

// zstdStreamEncoder is Discord's compress=zstd-stream: one frame for the life of the
// connection, flushed after each message.
func zstdStreamEncoder() (encode, error) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, append(zstdOptions, zstd.WithWindowSize(zstdStreamWindow), zstd.WithLowerEncoderMem(true))...)
	return func(dst, message []byte) ([]byte, error) {
		out.Reset()
		if _, err := z.Write(message); err != nil {
			return dst, err
		}
		if err := z.Flush(); err != nil {
			return dst, err
		}
		return append(dst, out.Bytes()...), nil
	}, err
}

// zstdStreamDecoder reads as much as was written: this library's reader takes the
// end of what has come so far for the end of the stream, and is not asked beyond it.
func zstdStreamDecoder() (decode, error) {
	var in bytes.Buffer
	var body []byte
	stream := struct{ io.Reader }{&in} // of a buffer that it knows for one it would read all at once
	z, err := zstd.NewReader(stream, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	return func(sent []byte, size int, v any) error {
		in.Write(sent)
		body = grown(body, size)
		if _, err := io.ReadFull(z, body); err != nil {
			return err
		}
		return codec.JSON.Decode(body, v)
	}, err
}
