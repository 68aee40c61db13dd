package media

import (
	"crypto/sha256"
	"encoding/hex"
)

// Hash is the SHA-256 of an object's bytes, and its name. As text it is 64 hexadecimal digits in
// lower case, so that no name can lead out of a folder.
type Hash [sha256.Size]byte

// ParseHash reads what String gives, and nothing else; the error is ErrHash.
func ParseHash(text string) (Hash, error) {
	var h Hash
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) {
		return Hash{}, ErrHash
	}
	copy(h[:], raw)
	if h.String() != text { // upper case: an object would have many addresses
		return Hash{}, ErrHash
	}
	return h, nil
}

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText gives String, in JSON too.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHash.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHash(string(text))
	return err
}
