package codecs

import (
	"bytes"
	"compress/flate"
	"io"

	"github.com/gatehouse-go/gatehouse/codec"
)

// deflateTail ends a message of permessage-deflate (RFC 7692, section 7.2.1) and is
// not sent.
var deflateTail = []byte{0, 0, 0xff, 0xff}

// deflateEncoder compresses each message by itself, as permessage-deflate without
// context takeover does, at the level that gorilla/websocket and coder/websocket
// have. The writer is anybody's between two messages.
func deflateEncoder() (encode, error) {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	return func(dst, message []byte) ([]byte, error) {
		out.Reset()
		w.Reset(&out)
		if _, err := w.Write(message); err != nil {
			return dst, err
		}
		if err := w.Flush(); err != nil {
			return dst, err
		}
		return append(dst, bytes.TrimSuffix(out.Bytes(), deflateTail)...), nil
	}, err
}

func deflateDecoder() (decode, error) {
	var body []byte
	r := flate.NewReader(nil)
	return func(sent []byte, size int, v any) error {
		in := io.MultiReader(bytes.NewReader(sent), bytes.NewReader(deflateTail))
		if err := r.(flate.Resetter).Reset(in, nil); err != nil {
			return err
		}
		body = grown(body, size)
		if _, err := io.ReadFull(r, body); err != nil {
			return err
		}
		return codec.JSON.Decode(body, v)
	}, nil
}

// grown is a buffer of size bytes, b if it is large enough.
func grown(b []byte, size int) []byte {
	if cap(b) < size {
		return make([]byte, size)
	}
	return b[:size]
}

// zlibEncoder is Discord's compress=zlib-stream.
func zlibEncoder() (encode, error) {
	z := codec.NewZlibStream()
	return func(dst, message []byte) ([]byte, error) { return z.Append(dst, message), nil }, nil
}

func zlibDecoder() (decode, error) {
	var body []byte
	z := codec.NewZlibStreamReader(codec.Limits{})
	return func(sent []byte, _ int, v any) (err error) {
		if body, err = z.Append(body[:0], sent); err != nil {
			return err
		}
		return codec.JSON.Decode(body, v)
	}, nil
}
