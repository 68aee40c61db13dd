package redis

import (
	"encoding/binary"
	"errors"
	"slices"
)

// What is published of changes: a version, then who says it and the channels, each behind its
// length as a uvarint.
const changesVersion = 1

// mostTold is about how many bytes one publication has.
const mostTold = 16 << 10

var errChanges = errors.New("redis: what was published is none of our changes")

func encode(origin string, changed map[string]struct{}) (told [][]byte) {
	head := field([]byte{changesVersion}, origin)
	next := slices.Clone(head)
	for channel := range changed {
		if next = field(next, channel); len(next) > mostTold {
			told, next = append(told, next), slices.Clone(head)
		}
	}
	if len(next) > len(head) {
		told = append(told, next)
	}
	return told
}

func field(to []byte, s string) []byte {
	return append(binary.AppendUvarint(to, uint64(len(s))), s...)
}

func decode(told []byte) (origin string, channels []string, err error) {
	if len(told) == 0 || told[0] != changesVersion {
		return "", nil, errChanges
	}
	for rest := told[1:]; len(rest) > 0; {
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return "", nil, errChanges
		}
		channels = append(channels, string(rest[n:n+int(length)]))
		rest = rest[n+int(length):]
	}
	if len(channels) == 0 {
		return "", nil, errChanges
	}
	return channels[0], channels[1:], nil
}
