package load

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// Chat is what the clients of a gateway say to each other in channels. Each is in one
// channel. Not safe for concurrent use, as the [Crowd].
type Chat struct {
	Channel func(client int) string
	Members int    // of each channel
	Text    string // of every message, behind its number

	// Going has a client say the next thing when it was answered.
	Going bool

	// Since Reset.
	Said, Answered, Complete int             // Complete is what everybody has
	Failed                   int             // answers that are errors
	Answers, Last            []time.Duration // from when a message was due
	Lost                     int             // deliveries of what was not said since

	first int // the number of the first message
	said  []saying
}

type saying struct {
	due  time.Time
	left int // of the members
}

// Reset sets the counts to zero.
func (c *Chat) Reset() {
	first, going := c.first+len(c.said), c.Going
	*c = Chat{Channel: c.Channel, Members: c.Members, Text: c.Text, Going: going, first: first}
}

// Done reports whether everybody has all that was said.
func (c *Chat) Done() bool { return c.Answered == c.Said && c.Complete == c.Said }

// Say has a client say something that was due at a time.
func (c *Chat) Say(cl *Client, due time.Time) { cl.write(c.next(cl, due)) }

// next is the frame of the next message.
func (c *Chat) next(cl *Client, due time.Time) []byte {
	n := c.first + len(c.said)
	c.said = append(c.said, saying{due, c.Members})
	c.Said++
	return frame(opText, fmt.Appendf(nil, `{"op":100,"d":{"t":"SEND_MESSAGE","n":%d,"d":{"channel":%q,"content":"%d %s","nonce":"%d"}}}`,
		n, c.Channel(cl.ID), n, c.Text, n))
}

// Speaker is the gateway's protocol, with its extension that has commands.
func (c *Chat) Speaker() *Speaker {
	s := Gatehouse()
	s.Path += "&ext=1"
	inner := s.Message
	content, reply, number, failed := []byte(`"content":"`), []byte(`"op":101,`), []byte(`"n":`), []byte(`"e":{`)
	s.Message = func(cl *Client, b []byte) (answer []byte, events int) {
		if bytes.Contains(b[:min(len(b), 60)], reply) {
			n := numberBehind(b, number)
			if bytes.Contains(b, failed) {
				c.Failed++
			}
			return c.answered(cl, n), 0
		}
		answer, events = inner(cl, b)
		if events > 0 {
			c.delivered(numberBehind(b, content))
		}
		return answer, events
	}
	return s
}

// numberBehind is the number behind a key; −1 if there is none.
func numberBehind(b, key []byte) int {
	_, rest, ok := bytes.Cut(b, key)
	end := 0
	for end < len(rest) && rest[end]-'0' <= 9 {
		end++
	}
	n, err := strconv.Atoi(string(rest[:end]))
	if !ok || err != nil {
		return -1
	}
	return n
}

// of returns what has a number, nil if it was not said since Reset.
func (c *Chat) of(n int) *saying {
	if n < c.first || n >= c.first+len(c.said) {
		c.Lost++
		return nil
	}
	return &c.said[n-c.first]
}

func (c *Chat) answered(cl *Client, n int) (next []byte) {
	now := time.Now()
	s := c.of(n)
	if s == nil {
		return nil
	}
	c.Answered++
	c.Answers = append(c.Answers, now.Sub(s.due))
	if c.Going {
		return c.next(cl, now)
	}
	return nil
}

func (c *Chat) delivered(n int) {
	s := c.of(n)
	if s == nil {
		return
	}
	if s.left--; s.left == 0 {
		c.Complete++
		c.Last = append(c.Last, time.Since(s.due))
	}
}
