package kafka

import (
	"encoding/binary"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// A record is a value of the version, the class, the intents, the topic, the type, the key, and the
// data to the end. Its topic is no key of Kafka's, whose partitioners would be another hash.
const recordVersion = 1

func encodeRecord(rec gateway.Record) []byte {
	b := make([]byte, 0, 2+4*binary.MaxVarintLen64+len(rec.Topic)+len(rec.Type)+len(rec.Key)+len(rec.Data))
	b = append(b, recordVersion, byte(rec.Class))
	b = binary.AppendUvarint(b, uint64(rec.Intent))
	for _, text := range []string{rec.Topic, rec.Type, rec.Key} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return append(b, rec.Data...)
}

// decodeRecord keeps b. It is not ok for what another version has written, or somebody else.
func decodeRecord(b []byte) (rec gateway.Record, ok bool) {
	if len(b) < 2 || b[0] != recordVersion {
		return rec, false
	}
	rec.Class = gateway.Class(b[1])
	intent, n := binary.Uvarint(b[2:])
	if n <= 0 {
		return rec, false
	}
	rec.Intent = gateway.Intent(intent)
	b = b[2+n:]
	for _, text := range []*string{&rec.Topic, &rec.Type, &rec.Key} {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return rec, false
		}
		b = b[n:]
		*text, b = string(b[:size]), b[size:]
	}
	rec.Data = b
	return rec, true
}
