package codec

import (
	"encoding/binary"
	"time"
)

// extTimestamp is type -1, the one extension type that the MessagePack specification defines.
const extTimestamp = 0xff

// timestamp96 is the body of the longest form: nanoseconds as uint32, seconds as int64.
type timestamp96 [12]byte

// The seconds of 0000-01-01 00:00:00 and 9999-12-31 23:59:59 UTC: what RFC 3339 can write.
const (
	firstSecond = -62167219200
	lastSecond  = 253402300799
)

// timestamp reads the body of a timestamp in any of its three forms.
func timestamp(body []byte) (sec int64, nsec uint32, ok bool) {
	switch len(body) {
	case 4:
		sec = int64(binary.BigEndian.Uint32(body))
	case 8:
		v := binary.BigEndian.Uint64(body)
		sec, nsec = int64(v&(1<<34-1)), uint32(v>>34)
	case 12:
		sec, nsec = int64(binary.BigEndian.Uint64(body[4:])), binary.BigEndian.Uint32(body)
	default:
		return 0, 0, false
	}
	return sec, nsec, nsec < 1e9 && firstSecond <= sec && sec <= lastSecond
}

// appendTimestamp96 appends a timestamp extension in its longest form.
func appendTimestamp96(dst []byte, sec int64, nsec uint32) []byte {
	dst = append(dst, 0xc7, byte(len(timestamp96{})), extTimestamp)
	dst = binary.BigEndian.AppendUint32(dst, nsec)
	return binary.BigEndian.AppendUint64(dst, uint64(sec))
}

// appendTimeJSON appends a timestamp as encoding/json writes a time.Time in UTC.
func appendTimeJSON(dst []byte, sec int64, nsec uint32) []byte {
	dst = append(dst, '"')
	dst = time.Unix(sec, int64(nsec)).UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}
