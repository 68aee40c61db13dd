package redis

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// A record in Redis: a version, its class, its intent as a uvarint, topic, type and key, each behind its
// length as a uvarint, and then its data. On a channel its epoch and its offset stand before it, each as
// text with a space behind it.
const recordVersion = 1

var errRecord = errors.New("redis: what was published is no record of ours")

func encodeRecord(rec gateway.Record) []byte {
	b := make([]byte, 0, 32+len(rec.Topic)+len(rec.Type)+len(rec.Key)+len(rec.Data))
	b = append(b, recordVersion, byte(rec.Class))
	b = binary.AppendUvarint(b, uint64(rec.Intent))
	b = field(field(field(b, rec.Topic), rec.Type), rec.Key)
	return append(b, rec.Data...)
}

func decodeRecord(text string, at gateway.Position) (gateway.Record, error) {
	b := []byte(text) // Data is to be the record's own
	if len(b) < 2 || b[0] != recordVersion {
		return gateway.Record{}, errRecord
	}
	rec := gateway.Record{Class: gateway.Class(b[1]), Position: at}
	intent, n := binary.Uvarint(b[2:])
	if n <= 0 {
		return gateway.Record{}, errRecord
	}
	rec.Intent, b = gateway.Intent(intent), b[2+n:]
	for _, to := range []*string{&rec.Topic, &rec.Type, &rec.Key} {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return gateway.Record{}, errRecord
		}
		*to, b = string(b[n:n+int(length)]), b[n+int(length):]
	}
	rec.Data = b
	return rec, nil
}

// nameOfRecord is what a record with an ID is known by in its partition: as long for every ID.
func nameOfRecord(rec gateway.Record) string {
	sum := sha256.Sum256([]byte(rec.ID))
	sum = sha256.Sum256(append(sum[:], rec.Topic...))
	return string(sum[:16])
}

// cutNumber cuts a number and the space behind it off a text.
func cutNumber(text string) (n uint64, rest string, ok bool) {
	digits, rest, _ := strings.Cut(text, " ")
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, rest, err == nil
}

// cutPosition cuts a position in a partition off a text.
func cutPosition(partition int, text string) (at gateway.Position, rest string, ok bool) {
	epoch, rest, one := cutNumber(text)
	offset, rest, two := cutNumber(rest)
	return gateway.Position{Partition: uint32(partition), Epoch: epoch, Offset: offset}, rest, one && two && epoch > 0
}
