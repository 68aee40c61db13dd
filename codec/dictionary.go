package codec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// MaxDictionary is the most bytes that a [Dictionary] can have: LZ4 looks back 65,535 bytes.
const MaxDictionary = 1<<16 - 1

// Dictionary is what two ends agree on before they talk: bytes that are typical of what they will say.
// A block made against it refers to these bytes as if they stood in front of it, so that a single event
// shrinks to less than half, where LZ4 alone gains next to nothing. One block serves everybody who has
// the dictionary; nothing is kept per connection.
//
// A Dictionary is immutable and safe for concurrent use. It takes some ten times the memory of its bytes,
// and milliseconds to build: build it once.
type Dictionary struct {
	id, hash string
	data     []byte
	index    index
}

// NewDictionary returns a dictionary of a copy of data. id is its name in handshakes: 1 to 64 of the
// characters A-Z, a-z, 0-9, '.', '_' and '-'. A dictionary that is empty, longer than [MaxDictionary]
// or badly named is [ErrDictionary]. Other bytes need another id: two ends that mean different bytes by
// one id read nonsense, and compare [Dictionary.Hash] to see it.
func NewDictionary(id string, data []byte) (*Dictionary, error) {
	const named = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	switch {
	case len(id) == 0 || len(id) > 64 || strings.Trim(id, named) != "":
		return nil, fmt.Errorf("%w: its id is %.70q", ErrDictionary, id)
	case len(data) == 0 || len(data) > MaxDictionary:
		return nil, fmt.Errorf("%w: it has %d bytes", ErrDictionary, len(data))
	}
	sum := sha256.Sum256(data)
	d := &Dictionary{id: id, hash: hex.EncodeToString(sum[:])}
	d.index = newIndex(data)
	d.data = d.index.data
	return d, nil
}

// ID returns the dictionary's name.
func (d *Dictionary) ID() string { return d.id }

// Bytes returns what the dictionary consists of, which must not be changed.
func (d *Dictionary) Bytes() []byte {
	if d == nil {
		return nil
	}
	return d.data
}

// Hash returns the SHA-256 of the dictionary's bytes in hexadecimal.
func (d *Dictionary) Hash() string { return d.hash }

// LZ4 is [LZ4] with this dictionary: it compresses with [Dictionary.AppendLZ4] and decodes blocks that
// were made against the dictionary, and bodies that are not compressed, within the limits of inner.
//
// A block does not say which dictionary it was made against, or whether any. Both ends agree on one kind
// per connection; a block of another kind decodes to a refusal or, in the worst case, to another value
// that is well formed.
func (d *Dictionary) LZ4(inner Codec) Codec { return newLZ4(inner, d) }
