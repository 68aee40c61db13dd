package kafka

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// progress is what the group remembers of a partition. Kafka itself has one offset, before which
// all has been dealt with; the rest goes into the text that may be kept beside it.
type progress struct {
	epoch uint64 // counts the takers, one after another
	owner uint64 // the last of them
	end   int64  // nothing from this offset on has ever been taken
	todo  []run  // what before end has not been dealt with, in order
}

// run is some offsets, one after another, that were taken equally often.
type run struct {
	from, to int64 // to is behind the last one
	tries    int
}

// Limits that keep the text below the 4,096 bytes that a broker takes (offset.metadata.max.bytes).
// A run is at most 2 + 1 + 1 bytes, and there are at most maxOpen of them: only five of 128 offsets
// and more, whose length is one byte longer, have room. In base64 that is 3,8 KB.
const (
	maxOpen  = 700     // items that are taken and not dealt with
	maxSpan  = 1 << 14 // offsets between the first of these and the last
	maxTries = 127     // that are counted
)

const progressVersion = 1

// first is the offset before which all has been dealt with.
func (p progress) first() int64 {
	if len(p.todo) > 0 {
		return p.todo[0].from
	}
	return p.end
}

// encode returns the text for the offset that first returns.
func (p progress) encode() string {
	at := p.first()
	b := []byte{progressVersion}
	b = binary.AppendUvarint(b, p.epoch)
	b = binary.BigEndian.AppendUint64(b, p.owner)
	b = binary.AppendUvarint(b, uint64(p.end-at))
	for _, r := range p.todo {
		b = binary.AppendUvarint(b, uint64(r.from-at))
		b = binary.AppendUvarint(b, uint64(r.to-r.from))
		b = binary.AppendUvarint(b, uint64(min(r.tries, maxTries)))
		at = r.to
	}
	return base64.RawStdEncoding.EncodeToString(b)
}

var errProgress = errors.New("kafka: the group's offset has a text that is not ours")

// decode reads what was written for an offset. An offset without a text, as other programs commit
// it, is progress too: of one that has taken nothing yet.
func decode(first int64, text string) (progress, error) {
	p := progress{end: first}
	if text == "" {
		return p, nil
	}
	if first < 0 || first > 1<<60 {
		return p, errProgress
	}
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || b[0] != progressVersion {
		return p, errProgress
	}
	r := reader{b[1:], true}
	epoch, owner, span := r.uvarint(1<<63), r.uint64(), r.uvarint(1<<40)
	q := progress{epoch: epoch, owner: owner, end: first + int64(span)}
	for at := first; len(r.b) > 0; {
		from := at + int64(r.uvarint(1<<40))
		to := from + int64(r.uvarint(1<<40))
		tries := int(r.uvarint(maxTries))
		if !r.ok || from == to || to > q.end {
			return p, errProgress
		}
		q.todo = append(q.todo, run{from, to, tries})
		at = to
	}
	if !r.ok || q.first() != first {
		return p, errProgress
	}
	return q, nil
}

// reader takes numbers off bytes; ok is false once there was none.
type reader struct {
	b  []byte
	ok bool
}

func (r *reader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.b, r.ok = nil, false
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uint64() uint64 {
	if len(r.b) < 8 {
		r.b, r.ok = nil, false
		return 0
	}
	v := binary.BigEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}
