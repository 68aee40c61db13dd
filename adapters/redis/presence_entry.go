package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// An entry in Redis is text of which the scripts read and write the beginning: see lua/presence_head.lua. The rest
// is user, session, platform, status and activities, each behind its length as a uvarint.
const entryVersion = '1'

var errEntry = errors.New("redis: it is no entry of ours, or one of a newer version")

// entryField is where an entry is kept.
func entryField(e presence.Entry) string { return string(append(field(nil, e.User), e.Session...)) }

func encodeEntry(e presence.Entry) []byte {
	gone := 0
	if e.Gone {
		gone = 1
	}
	b := fmt.Appendf(nil, "%c%020d%d%s%s%05d%s", entryVersion, e.Version, gone, instant(e.Left), instant(e.At), len(e.Node), e.Node)
	for _, s := range []string{e.User, e.Session, e.Platform, string(e.Status)} {
		b = field(b, s)
	}
	return append(b, e.Activities...)
}

// instant is a time to the microsecond, in 20 digits that are ordered as times are; all of them 0 for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return fmt.Sprintf("%020d", 0)
	}
	return fmt.Sprintf("%020d", uint64(t.UnixMicro()+1<<61))
}

func parseInstant(digits string) (time.Time, error) {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n == 0 {
		return time.Time{}, err
	}
	return time.UnixMicro(int64(n) - 1<<61), nil
}

// headLength is that of an entry before its node.
const headLength = 1 + 20 + 1 + 20 + 20 + 5

func decodeEntry(value any) (presence.Entry, error) {
	text, _ := value.(string)
	if len(text) < headLength || text[0] != entryVersion {
		return presence.Entry{}, errEntry
	}
	var e presence.Entry
	var errs [4]error
	e.Version, errs[0] = strconv.ParseUint(text[1:21], 10, 64)
	e.Gone = text[21] == '1'
	e.Left, errs[1] = parseInstant(text[22:42])
	e.At, errs[2] = parseInstant(text[42:62])
	node, err := strconv.Atoi(text[62:headLength])
	errs[3] = err
	rest := []byte(text[headLength:])
	if err := errors.Join(errs[:]...); err != nil || node < 0 || node > len(rest) {
		return presence.Entry{}, errEntry
	}
	e.Node, rest = string(rest[:node]), rest[node:]
	var parts [4]string
	for i := range parts {
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return presence.Entry{}, errEntry
		}
		parts[i], rest = string(rest[n:n+int(length)]), rest[n+int(length):]
	}
	e.User, e.Session, e.Platform, e.Status = parts[0], parts[1], parts[2], presence.Status(parts[3])
	if len(rest) > 0 {
		e.Activities = rest
	}
	return e, nil
}
