package codec

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// ZlibStreamReader reads what a [ZlibStream], or zlib's deflate with Z_SYNC_FLUSH, makes of the messages of
// one connection. Between two messages it holds their last 32 KB, which is as far back as a message can
// refer. Not safe for concurrent use.
type ZlibStreamReader struct {
	limit  int
	begun  bool   // the header was read
	window []byte // the last 32 KB that came out
	err    error  // latched: a stream that broke cannot be read on
}

// zlibWindow is how far back deflate can refer.
const zlibWindow = 32 << 10

// flushed is what every message ends with: an empty stored block, but for its first three bits.
var flushed = []byte{0x00, 0x00, 0xff, 0xff}

// NewZlibStreamReader returns a reader for a stream from its beginning. It uses Output of l, for each message.
func NewZlibStreamReader(l Limits) *ZlibStreamReader {
	return &ZlibStreamReader{limit: l.effective().Output}
}

// Append appends the next message, uncompressed, to dst and returns the extended slice. It takes bytes from
// strangers: data must be one whole message, which never becomes more than Limits.Output, nor is more than
// about twice of that allocated. On an error it returns dst as it was, and the same error ever after. The
// bytes that come out are checked against nothing: the stream's checksum comes only with its end, and so never.
func (z *ZlibStreamReader) Append(dst, data []byte) ([]byte, error) {
	if z.err != nil {
		return dst, z.err
	}
	start := len(dst)
	out, err := z.inflate(dst, data)
	if err != nil {
		z.err, z.window = err, nil
		return dst, err
	}
	z.remember(out[start:])
	return out, nil
}

func (z *ZlibStreamReader) inflate(dst, data []byte) ([]byte, error) {
	fail := func(at int, err error) ([]byte, error) {
		return nil, &Error{Format: "zlib-stream", Offset: at, Err: err}
	}
	head := 0
	if !z.begun {
		if len(data) < 2 {
			return fail(len(data), ErrTruncated)
		}
		if !zlibHeader(data[0], data[1]) {
			return fail(0, ErrSyntax)
		}
		head, z.begun = 2, true
	}
	if len(data) < head+1+len(flushed) || !bytes.HasSuffix(data, flushed) {
		return fail(len(data), ErrTruncated)
	}

	f := inflaters.Get().(*inflater)
	defer f.free()
	f.begin(data[head:], z.window)
	start := len(dst)
	for {
		// One byte beyond the limit, to tell a message that reaches it from one that goes on.
		room := min(max(512, len(dst)-start), z.limit-(len(dst)-start))
		dst = slices.Grow(dst, room+1)
		n, err := f.r.Read(dst[len(dst) : len(dst)+room+1])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > z.limit:
			return fail(-1, ErrTooLarge)
		case err == nil:
		case errors.Is(err, io.ErrUnexpectedEOF):
			return fail(len(data), ErrTruncated)
		case err != io.EOF:
			return fail(-1, fmt.Errorf("%w: %w", ErrSyntax, err))
		case f.left() > 0: // a last block of the stream's own: the rest is its checksum, or anything
			return fail(len(data)-f.left()+len(lastBlock), ErrTrailing)
		default:
			return dst, nil
		}
	}
}

// zlibHeader reports whether the two bytes of RFC 1950, section 2.2, begin a stream that we read: deflate,
// a window of at most 32 KB, no dictionary.
func zlibHeader(cmf, flg byte) bool {
	return cmf&0x0f == 8 && cmf>>4 <= 7 && flg&0x20 == 0 && (uint(cmf)<<8|uint(flg))%31 == 0
}

func (z *ZlibStreamReader) remember(out []byte) {
	if len(out) >= zlibWindow {
		z.window = append(z.window[:0], out[len(out)-zlibWindow:]...)
		return
	}
	if over := len(z.window) + len(out) - zlibWindow; over > 0 {
		z.window = z.window[:copy(z.window, z.window[over:])]
	}
	z.window = append(z.window, out...)
}

// inflater reads one message with what came before it as a dictionary, which is all that a stream carries
// over a flush: so the 40 KB of a decompressor are needed only while a message is read.
//
// A decompressor that meets the end of its input in the middle of a stream fails for good, and its output
// up to there cannot be told from that of a message cut short. So an empty last block follows each message:
// what ends well ends exactly behind it.
type inflater struct {
	data, last []byte
	r          io.ReadCloser
}

// lastBlock is an empty stored block with the bit that says it is the last.
var lastBlock = []byte{0x01, 0x00, 0x00, 0xff, 0xff}

var inflaters = sync.Pool{New: func() any { return &inflater{r: flate.NewReader(bytes.NewReader(nil))} }}

func (f *inflater) begin(data, window []byte) {
	f.data, f.last = data, lastBlock
	_ = f.r.(flate.Resetter).Reset(f, window) // never fails
}

func (f *inflater) free() {
	f.data, f.last = nil, nil
	inflaters.Put(f)
}

// left is how many bytes were not read.
func (f *inflater) left() int { return len(f.data) + len(f.last) }

// ReadByte keeps the decompressor from reading ahead.
func (f *inflater) ReadByte() (byte, error) {
	if len(f.data) == 0 {
		f.data, f.last = f.last, nil
		if len(f.data) == 0 {
			return 0, io.EOF
		}
	}
	b := f.data[0]
	f.data = f.data[1:]
	return b, nil
}

func (f *inflater) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := f.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	n := copy(p[1:], f.data)
	f.data = f.data[n:]
	return 1 + n, nil
}
