package nats

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// A record is a message of the version, the class, the intents, the type, the key, and the data to the end.
// Its topic is in the subject.
const recordVersion = 1

func encodeRecord(rec gateway.Record) []byte {
	b := make([]byte, 0, 2+3*binary.MaxVarintLen64+len(rec.Type)+len(rec.Key)+len(rec.Data))
	b = append(b, recordVersion, byte(rec.Class))
	b = binary.AppendUvarint(b, uint64(rec.Intent))
	b = appendText(b, rec.Type)
	b = appendText(b, rec.Key)
	return append(b, rec.Data...)
}

// decodeRecord keeps b.
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
	if rec.Type, b, ok = cutText(b); !ok {
		return rec, false
	}
	rec.Key, rec.Data, ok = cutText(b)
	return rec, ok
}

// nameOf is what the server knows a record with an ID by, among all that are in the stream.
func nameOf(rec gateway.Record) string {
	sum := sha256.Sum256([]byte(rec.ID))
	sum = sha256.Sum256(append(sum[:], rec.Topic...))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func cutText(b []byte) (text string, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, false
	}
	b = b[n:]
	return string(b[:size]), b[size:], true
}
