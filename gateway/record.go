package gateway

import (
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/codec"
)

// Record is an event in its canonical form: what a [Broker] carries between
// nodes, and what every node, the publisher's own included, derives the bytes
// on the wire from. It is immutable once handed over.
type Record struct {
	Topic  string
	Type   string
	Key    string
	ID     string // see Event; what a broker delivers may lack it
	Data   []byte // canonical JSON
	Intent Intent
	Class  Class

	// Position is the record's place in the broker's history, which the broker sets.
	Position Position

	// Gap says that records of the topic were lost to the feed that is given this
	// one: it was cut off, and the history does not reach back. Of the rest only Topic
	// and Position count. The sessions that are subscribed end, and are told (4009).
	Gap bool
}

var errType = errors.New("gateway: an event's Type is one to 100 printable ASCII characters, without quote or backslash")

// plainType reports whether a type can stand between quotes as it is.
func plainType(s string) bool {
	for _, r := range s {
		if r < 0x21 || r > 0x7e || r == '"' || r == '\\' {
			return false
		}
	}
	return s != "" && len(s) <= 100
}

// Seal encodes an event for a topic: what a service without a gateway hands to a
// [Broker]. Afterwards nothing refers to ev.Data. The error says what of the event
// cannot be published.
func Seal(topic string, ev Event) (Record, error) {
	if err := checkTopics(topic); err != nil {
		return Record{}, err
	}
	if !plainType(ev.Type) {
		return Record{}, fmt.Errorf("%w: %q", errType, ev.Type)
	}
	data, err := codec.AppendJSON(nil, ev.Data)
	if err == nil {
		// encoding/json takes a json.RawMessage as it is, with text that is not
		// UTF-8 and numbers that no other form has.
		err = codec.CheckJSON(data, ours)
	}
	if err != nil {
		return Record{}, fmt.Errorf("gateway: encode event %s: %w", ev.Type, err)
	}
	return Record{Topic: topic, Type: ev.Type, Key: ev.Key, ID: ev.ID, Data: data, Intent: ev.Intent, Class: ev.Class}, nil
}
