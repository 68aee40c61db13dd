package nats

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// What a broker has on the server, by its name:
//
//	gatehouse-broker-NAME                  stream: what was published
//	gatehouse.broker.NAME.3.guild:7        subject: the records of topic guild:7, of partition 3
//	gatehouse.broker.NAME.tick             subject: see tick.go
//	gatehouse.live.NAME.3.guild:7          subject, of no stream: where the server sends them as they are published
const (
	brokerPrefix = "gatehouse-broker-"
	storedPrefix = "gatehouse.broker."
	sentPrefix   = "gatehouse.live."

	tickToken = "tick"
)

func (h *history) storedAt(place string) string { return storedPrefix + h.broker + "." + place }
func (h *history) sentAt(place string) string   { return sentPrefix + h.broker + "." + place }

// mostTopic is how many bytes a topic's name can have: written out it is part of a subject, in one line with others.
const mostTopic = 1000

// topicAt is a topic's place in the subjects: its partition, which must be the same for ever, and its name.
func (h *history) topicAt(topic string) (string, error) {
	if len(topic) > mostTopic {
		return "", fmt.Errorf("%w: it has %d bytes", ErrTopic, len(topic))
	}
	return strconv.Itoa(int(h.partitionOf(topic))) + "." + escape(topic), nil
}

func (h *history) partitionOf(topic string) uint32 {
	sum := fnv.New64a()
	sum.Write([]byte(topic))
	return uint32(sum.Sum64() % uint64(h.partitions))
}

// placeOf reads a subject of the stream.
func (h *history) placeOf(subject string) (topic string, partition uint32, ok bool) {
	place, ok := strings.CutPrefix(subject, h.storedAt(""))
	if !ok {
		return "", 0, false
	}
	number, token, ok := strings.Cut(place, ".")
	n, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil {
		return "", 0, false
	}
	topic, ok = unescape(token)
	return topic, uint32(n), ok
}

// escape writes text as one token of a subject: letters, digits and a few others stay, each other byte is
// %XX. Nothing at all is %.
func escape(text string) string {
	if text == "" {
		return "%"
	}
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(":-_/@#=+~", c) >= 0
}

func unescape(token string) (string, bool) {
	if token == "%" {
		return "", true
	}
	first, more, found := strings.Cut(token, "%")
	if !found {
		return token, token != ""
	}
	text := []byte(first)
	for part := range strings.SplitSeq(more, "%") {
		if len(part) < 2 {
			return "", false
		}
		c, err := hex.DecodeString(part[:2])
		if err != nil {
			return "", false
		}
		text = append(append(text, c...), part[2:]...)
	}
	return string(text), true
}
