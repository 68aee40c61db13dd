package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
)

// A client that asks for positions=1 is told the place of each event that has
// one, "TAG:OFFSET", as p: the last of each tag is what it has seen of a topic,
// and it sends those back in Resume. After a node was killed, nothing that it has
// seen is sent to it again then, but for states: an event that took an older one's
// turn (Conflate) has no place. The tag stands for the topic and the epoch of its
// partition: a client compares tags, and nobody else's names are told.

// placeTag is the first part of the places of a topic. 96 bits of a hash: topics
// whose tags were equal would lose events, so nobody must be able to find such.
func placeTag(topic string, epoch uint64) string {
	h := sha256.New()
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], epoch)
	h.Write(b[:])
	h.Write([]byte(topic))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// place is what the event has as p in a form: nothing in most.
func (p *published) place(f *form) string {
	if !f.places || p.Position.IsZero() || p.Class == Conflate {
		return ""
	}
	return placeTag(p.Topic, p.Position.Epoch) + ":" + strconv.FormatUint(p.Position.Offset, 36)
}

// seen is what a client says that it has seen.
type seen struct {
	seq    uint64
	places []string
}

// seenPlaces are the offsets that a client has seen, by tag.
type seenPlaces map[string]uint64

// readPlaces reads the p of a Resume. What makes no sense is left out: events are
// sent again then.
func readPlaces(places []string) seenPlaces {
	seen := make(seenPlaces, len(places))
	for _, place := range places {
		tag, offset, ok := strings.Cut(place, ":")
		if n, err := strconv.ParseUint(offset, 36, 64); ok && err == nil {
			seen[tag] = max(seen[tag], n)
		}
	}
	return seen
}

// behind is the later of a topic's position and what was seen of it.
func (seen seenPlaces) behind(topic string, at Position) Position {
	if n := seen[placeTag(topic, at.Epoch)]; n > at.Offset {
		at.Offset = n
	}
	return at
}

// has reports whether an event of a topic was seen.
func (seen seenPlaces) has(topic string, at Position) bool {
	return seen[placeTag(topic, at.Epoch)] >= at.Offset
}
