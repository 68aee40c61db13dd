package redis

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// A page in Redis: a version, how many messages, and of each its id, the milliseconds of Edited, and
// author, content, data and nonce behind their lengths. All numbers are varints.
const pageVersion = 1

var errPage = errors.New("redis: what is kept is none of our pages")

// encodePage returns nil for a page that is longer than most.
func encodePage(messages []message.Message, most int) []byte {
	page := binary.AppendUvarint([]byte{pageVersion}, uint64(len(messages)))
	for _, m := range messages {
		page = binary.AppendUvarint(page, uint64(m.ID))
		page = binary.AppendVarint(page, m.Edited.UnixMilli())
		for _, s := range [...]string{m.Author, m.Content, string(m.Data), m.Nonce} {
			page = field(page, s)
		}
		if len(page) > most {
			return nil
		}
	}
	return page
}

// decodePage returns a page that is not nil, or an error.
func decodePage(channel, page string) ([]message.Message, error) {
	if page == "" || page[0] != pageVersion {
		return nil, errPage
	}
	r := pageReader{rest: []byte(page[1:])}
	n := r.number()
	if n > message.MaxPage {
		return nil, errPage
	}
	messages := make([]message.Message, 0, n)
	for range n {
		m := message.Message{Channel: channel, ID: message.ID(r.number()), Edited: time.UnixMilli(r.signed()).UTC()}
		m.Author, m.Content = r.text(), r.text()
		if data := r.text(); data != "" {
			m.Data = []byte(data)
		}
		m.Nonce = r.text()
		messages = append(messages, m)
	}
	if r.broken || len(r.rest) > 0 {
		return nil, errPage
	}
	return messages, nil
}

// pageReader reads what is left of a page; broken, it gives nothing any more.
type pageReader struct {
	rest   []byte
	broken bool
}

func (r *pageReader) skip(n int) {
	if n <= 0 {
		r.rest, r.broken = nil, true
		return
	}
	r.rest = r.rest[n:]
}

func (r *pageReader) number() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *pageReader) signed() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *pageReader) text() string {
	n := r.number()
	if r.broken || n > uint64(len(r.rest)) {
		r.rest, r.broken = nil, true
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
