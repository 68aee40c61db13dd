package nats

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"

	natsgo "github.com/nats-io/nats.go"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// An item is a message with its Data; the rest is in headers, quoted as in Go, since a header has one
// line and no spaces around it.
const (
	headerKey = "Gatehouse-Key"
	headerID  = "Gatehouse-Id"
	headerWhy = "Gatehouse-Why"
)

// mostWhy is how many bytes of Why are kept: a message has 64 KB of headers.
const mostWhy = 4096

func encode(subject string, it message.Item) *natsgo.Msg {
	m := natsgo.NewMsg(subject)
	m.Data = slices.Clone(it.Data) // who put it may have it back before the client is done
	m.Header[headerKey] = []string{strconv.Quote(it.Key)}
	if it.ID != "" {
		m.Header[headerID] = []string{strconv.Quote(it.ID)}
	}
	return m
}

// decode reads a message. What somebody else put there is an item without a key: who consumes it sees
// that it is none of ours, and buries it.
func decode(header natsgo.Header, data []byte) message.Item {
	return message.Item{Key: unquoted(header, headerKey), ID: unquoted(header, headerID), Why: unquoted(header, headerWhy), Data: data}
}

func unquoted(header natsgo.Header, name string) string {
	text, _ := strconv.Unquote(header.Get(name))
	return text
}

// messageID is by which the server knows an item that is put again: of a key and an ID, in 32 bytes.
func messageID(it message.Item) string {
	text := binary.AppendUvarint(nil, uint64(len(it.Key)))
	sum := sha256.Sum256(append(append(text, it.Key...), it.ID...))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}
