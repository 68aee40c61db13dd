package codecs

import "github.com/gatehouse-go/gatehouse/codec"

// Encoding is one way to put events on the wire.
type Encoding struct {
	Name string

	// Stream is whether the state is one connection's: a message is compressed once
	// for each, and not once for all.
	Stream bool

	body    codec.Codec // JSON or MessagePack: what is compressed
	encoder func() (encode, error)
	decoder func() (decode, error)
}

// encode appends what is sent for a message, which is JSON.
type encode func(dst, message []byte) ([]byte, error)

// decode reads into v what was sent. size is how many bytes it has uncompressed.
type decode func(sent []byte, size int, v any) error

// dictionary is codec.Dictionary, as far as it is needed.
type dictionary interface {
	AppendLZ4(dst, body []byte) []byte
	LZ4(inner codec.Codec) codec.Codec
}

// All is the encodings, JSON first. It trains a dictionary for zstd.
func All() ([]Encoding, error) {
	trained, err := trainZstd(training())
	if err != nil {
		return nil, err
	}
	all := []Encoding{
		{Name: "json", body: codec.JSON, encoder: plain(appendJSON), decoder: by(codec.JSON)},
		{Name: "msgpack", body: codec.MsgPack, encoder: plain(appendMsgPack), decoder: by(codec.MsgPack)},
		{Name: "msgpack+lz4", body: codec.MsgPack, encoder: packed(codec.AppendLZ4), decoder: by(codec.LZ4(codec.MsgPack))},
	}
	if shared != nil {
		all = append(all, Encoding{Name: "msgpack+lz4+dictionary", body: codec.MsgPack, encoder: packed(shared.AppendLZ4), decoder: by(shared.LZ4(codec.MsgPack))})
	}
	return append(all,
		Encoding{Name: "msgpack+zstd+dictionary", body: codec.MsgPack, encoder: zstdEncoder(trained), decoder: zstdDecoder(trained)},
		Encoding{Name: "json+deflate", body: codec.JSON, encoder: deflateEncoder, decoder: deflateDecoder},
		Encoding{Name: "json+zlib-stream", body: codec.JSON, Stream: true, encoder: zlibEncoder, decoder: zlibDecoder},
		Encoding{Name: "json+zstd-stream", body: codec.JSON, Stream: true, encoder: zstdStreamEncoder, decoder: zstdStreamDecoder},
	), nil
}

func appendJSON(dst, message []byte) ([]byte, error) { return append(dst, message...), nil }

// appendMsgPack transcodes what the application published.
func appendMsgPack(dst, message []byte) ([]byte, error) {
	return codec.AppendMsgPackFromJSON(dst, message, codec.Limits{})
}

// plain is an encoder without state.
func plain(e encode) func() (encode, error) { return func() (encode, error) { return e, nil } }

// packed is an encoder of MessagePack whose bodies are compressed each by itself.
func packed(pack func(dst, body []byte) []byte) func() (encode, error) {
	return func() (encode, error) {
		var body []byte
		return func(dst, message []byte) (_ []byte, err error) {
			if body, err = appendMsgPack(body[:0], message); err != nil {
				return dst, err
			}
			return pack(dst, body), nil
		}, nil
	}
}

// by is a decoder of a codec's messages.
func by(c codec.Codec) func() (decode, error) {
	return func() (decode, error) {
		return func(sent []byte, _ int, v any) error { return c.Decode(sent, v) }, nil
	}
}
