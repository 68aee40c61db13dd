package codec

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/pierrec/lz4/v4"
)

// extBlock is the extension type of a compressed block, Lz4Block in MessagePack-CSharp.
const extBlock = 99

// compressFrom is the size from which a body is worth compressing: shared with every client by the
// protocol, and about where LZ4 begins to gain on single events.
const compressFrom = 256

// LZ4 compresses what inner, a codec that writes MessagePack, makes of a value: see [AppendLZ4]. It
// decodes a message that is a block, that has blocks anywhere inside (as an envelope whose data
// alone is compressed), or that has none, within the limits of inner. It panics when inner is JSON,
// since a block holds MessagePack.
func LZ4(inner Codec) Codec {
	return newLZ4(inner, nil)
}

func newLZ4(inner Codec, d *Dictionary) Codec {
	if inner.Name() == JSON.Name() {
		panic("codec: LZ4 is an extension of MessagePack and cannot hold JSON")
	}
	c := lz4Codec{inner: inner, dict: d}
	if ours, ok := inner.(limited); ok {
		c.limits = ours.limitsOf()
	}
	return c
}

type lz4Codec struct {
	inner  Codec
	limits Limits
	dict   *Dictionary // nil: without
}

func (c lz4Codec) Name() string {
	if c.dict != nil {
		return c.inner.Name() + "+lz4:" + c.dict.id
	}
	return c.inner.Name() + "+lz4"
}

func (c lz4Codec) withLimits(l Limits) Codec { return lz4Codec{WithLimits(c.inner, l), l, c.dict} }
func (c lz4Codec) limitsOf() Limits          { return c.limits }

func (c lz4Codec) Append(dst []byte, v any) ([]byte, error) {
	body := getBuffer()
	defer body.free()
	var err error
	if body.b, err = c.inner.Append(body.b, v); err != nil {
		return dst, err
	}
	if c.dict != nil {
		return c.dict.AppendLZ4(dst, body.b), nil
	}
	return AppendLZ4(dst, body.b), nil
}

func (c lz4Codec) Decode(data []byte, v any) error {
	check := newMsgpackCheck(c.limits, true)
	check.dict = c.dict.Bytes()
	if err := check.message(data); err != nil {
		return err
	}
	if !check.rewrite {
		return c.inner.Decode(data, v)
	}
	plain := getBuffer()
	defer plain.free()
	var err error
	if plain.b, err = appendPlain(plain.b, data, check.dict); err != nil {
		return err
	}
	return c.inner.Decode(plain.b, v)
}

// AppendLZ4 appends body, one MessagePack value, compressed when it is 256 bytes or more and shrinks,
// or else as it is. Compressed, it is an extension of type 99: the length of body as a MessagePack
// int32, always in its five-byte form, then one LZ4 block. That is Lz4Block of MessagePack-CSharp (its
// README, section "LZ4 Compression", and ToLZ4BinaryCore in MessagePackSerializer.cs). dst and body
// must not overlap.
func AppendLZ4(dst, body []byte) []byte {
	const room = 6 + 5 // the longest extension head, and the length
	if len(body) < compressFrom || len(body) > math.MaxInt32 {
		return append(dst, body...)
	}
	start := len(dst)
	dst = slices.Grow(dst, len(body))
	block := dst[start+room : start+len(body)-1] // room for what shrinks, and for nothing else
	n, err := lz4.CompressBlock(body, block, nil)
	if n == 0 || err != nil {
		return append(dst, body...)
	}
	dst = appendExtHead(dst, 5+n, extBlock)
	dst = binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(len(body)))
	return append(dst, block[:n]...) // moves down when the head is shorter than its room
}

// blockSize reads the head of a block's body: the uncompressed length, in whatever integer form, and
// where the LZ4 block begins. A length that LZ4 cannot reach from so few bytes is not ok: every byte
// of a block stands for at most 255.
func blockSize(body []byte) (size, begin int, ok bool) {
	k, n, begin := token(body, 0)
	if k != kindUint && k != kindInt || n == 0 || n > math.MaxInt32 {
		return 0, 0, false
	}
	return int(n), begin, n <= 255*uint64(len(body)-begin)
}

// appendBlock appends what a block made against dict, or against none, holds. The caller has checked its
// size against a limit.
func appendBlock(dst, body, dict []byte) ([]byte, error) {
	size, begin, ok := blockSize(body)
	if !ok {
		return dst, ErrBlock
	}
	start := len(dst)
	dst = slices.Grow(dst, size)
	n, err := lz4.UncompressBlockWithDict(body[begin:], dst[start:start+size], dict)
	if err != nil || n != size { // a block cut short can give fewer bytes and no error
		return dst[:start], ErrBlock
	}
	return dst[:start+size], nil
}
