package nats

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// An entry is a message of the version and the JSON of this; its user and session are in the subject. A
// lease is one of the version and its length in microseconds: it begins when the server gets it.
type device struct {
	Node       string          `json:"node,omitempty"`
	Version    uint64          `json:"version,string"`
	Platform   string          `json:"platform,omitempty"`
	Status     presence.Status `json:"status,omitempty"`
	Activities json.RawMessage `json:"activities,omitempty"`
	At         int64           `json:"at"`             // in microseconds, as
	Left       int64           `json:"left,omitempty"` // 0: not
	Gone       bool            `json:"gone,omitempty"`
}

const entryVersion = 1

var errEntryVersion = errors.New("the entry is of a newer version, or none")

func entryKey(e presence.Entry) string { return "entry." + escape(e.User) + "." + escape(e.Session) }

func encodeEntry(e presence.Entry) []byte {
	w := device{Node: e.Node, Version: e.Version, Platform: e.Platform, Status: e.Status, Activities: e.Activities, At: e.At.UnixMicro(), Gone: e.Gone}
	if !e.Left.IsZero() {
		w.Left = e.Left.UnixMicro()
	}
	if !json.Valid(w.Activities) {
		w.Activities = nil
	}
	body, _ := json.Marshal(w) // it cannot fail
	return append([]byte{entryVersion}, body...)
}

func (p *Presence) entryOf(k kept) (e presence.Entry, err error) {
	user, session, ok := strings.Cut(strings.TrimPrefix(k.subject, p.table.prefix+"entry."), ".")
	user, valid := unescape(user)
	session, validToo := unescape(session)
	if !ok || !valid || !validToo || len(k.data) == 0 || k.data[0] != entryVersion {
		return e, errEntryVersion
	}
	var w device
	if err := json.Unmarshal(k.data[1:], &w); err != nil {
		return e, err
	}
	e = presence.Entry{
		User: user, Session: session, Node: w.Node, Version: w.Version, Platform: w.Platform, Status: w.Status,
		Activities: w.Activities, At: time.UnixMicro(w.At), Gone: w.Gone,
	}
	if w.Left != 0 {
		e.Left = time.UnixMicro(w.Left)
	}
	return e, nil
}

func encodeLease(d time.Duration) []byte {
	return binary.AppendVarint([]byte{entryVersion}, d.Microseconds())
}

func decodeLease(b []byte) (time.Duration, bool) {
	if len(b) == 0 || b[0] != entryVersion {
		return 0, false
	}
	micros, n := binary.Varint(b[1:])
	return time.Duration(micros) * time.Microsecond, n > 0
}
