package gateway

import (
	"encoding/binary"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-go/gatehouse/codec"
)

// published is a record that has reached this node: immutable, shared by every
// ring that refers to it, and the place where each form of it on the wire is
// made at most once, by whoever needs it first.
type published struct {
	Record
	at  int64 // when it reached this node, in Unix nanoseconds
	own bool  // for the session itself: an order, or word of a gap

	held    atomic.Int32  // places in rings
	account *atomic.Int64 // of the bytes of events that are held; nil: nobody counts

	lanes atomic.Int32 // that have still to fan it out

	mu    sync.Mutex // held while a form is made
	tails atomic.Pointer[tail]
}

// tail is the part of the envelope behind the sequence in one form, with those
// in the other forms that somebody has asked for: there are few.
type tail struct {
	form  *form
	bytes []byte
	next  *tail
}

// ours are no limits: the bytes are the application's own.
var ours = codec.Limits{Depth: -1, Elements: -1, String: -1, Output: -1}

const msgPackNil = 0xc0

// publishedOverhead is what an event costs beside its own bytes, so that a
// bound in bytes is one on empty events too.
const publishedOverhead = 64

func (p *published) size() int { return len(p.Data) + len(p.Type) + publishedOverhead }

// hold is called for each place in a ring that p is given.
func (p *published) hold() {
	if p.held.Add(1) == 1 && p.account != nil {
		p.account.Add(int64(p.size()))
	}
}

// letGo undoes a hold.
func (p *published) letGo() {
	if p.held.Add(-1) == 0 && p.account != nil {
		p.account.Add(-int64(p.size()))
	}
}

// tail returns the part of the envelope behind the sequence, which all
// sessions with the same form share. It must not be changed.
func (p *published) tail(f *form) []byte {
	if t := p.tails.Load().in(f); t != nil {
		return t.bytes
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	made := p.tails.Load()
	if t := made.in(f); t != nil {
		return t.bytes
	}
	t := &tail{form: f, bytes: p.makeTail(f), next: made}
	p.tails.Store(t)
	return t.bytes
}

// in returns the tail in a form, nil if it was not made yet.
func (t *tail) in(f *form) *tail {
	for t != nil && t.form != f {
		t = t.next
	}
	return t
}

// makeTail cuts the tail off an envelope that was built whole.
func (p *published) makeTail(f *form) []byte {
	whole := appendPayload(make([]byte, 0, len(p.Data)+len(p.Type)+48), f, opDispatch, p.Data, p.Type, 0, p.place(f))
	head := len(appendSequence(nil, f, 0))
	return whole[head:len(whole):len(whole)]
}

// appendHead begins a WebSocket frame with the event under the given sequence,
// for a tail of so many bytes, which follows.
func appendHead(dst []byte, f *form, seq uint64, tail int) []byte {
	var head [32]byte
	h := appendSequence(head[:0], f, seq)
	dst = appendFrameHeader(dst, f.frame(), len(h)+tail)
	return append(dst, h...)
}

// appendSequence begins an envelope with its sequence, which is the first of
// the keys so that all that follows can be shared.
func appendSequence(dst []byte, f *form, seq uint64) []byte {
	if !f.msgpack {
		dst = append(dst, `{"s":`...)
		dst = strconv.AppendUint(dst, seq, 10)
		return append(dst, ',')
	}
	keys := byte(0x84)
	if f.places {
		keys++
	}
	dst = append(dst, keys, 0xa1, 's')
	if seq > 1<<32-1 {
		return binary.BigEndian.AppendUint64(append(dst, 0xcf), seq)
	}
	return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(seq))
}

func appendMsgPackString(dst []byte, s string) []byte {
	if len(s) < 32 {
		dst = append(dst, 0xa0|byte(len(s)))
	} else {
		dst = append(dst, 0xdb)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	}
	return append(dst, s...)
}
