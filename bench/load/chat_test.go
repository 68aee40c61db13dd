package load

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A message is done when every member has it and its sender was answered; what comes
// from before Reset is told.
func TestChat(t *testing.T) {
	c := &Chat{Channel: func(int) string { return "7" }, Members: 2, Text: "hello", Going: true}
	s, cl := c.Speaker(), &Client{crowd: &Crowd{rng: rand.New(rand.NewPCG(1, 2))}, fd: -1}
	if !strings.HasSuffix(s.Path, "&ext=1") {
		t.Error(s.Path)
	}
	if text := string(c.next(cl, time.Now())); !strings.Contains(text, `"n":0,`) || !strings.Contains(text, `"content":"0 hello"`) {
		t.Error(text)
	}
	say := func(text string) (string, int) {
		answer, events := s.Message(cl, []byte(text))
		return string(answer), events
	}
	say(`{"s":1,"op":0,"t":"READY","d":{"session_id":"x"}}`)
	const told = `,"op":0,"t":"MESSAGE_CREATE","d":{"id":"9","channel":"7","author":"a","content":"0 hello"}}`
	if _, events := say(`{"s":2` + told); events != 1 || c.Complete != 0 {
		t.Errorf("%d events, %+v", events, c)
	}
	if next, events := say(`{"op":101,"d":{"n":0,"d":"9"}}`); events != 0 || !strings.Contains(next, `"n":1,`) {
		t.Errorf("%d events, then %q", events, next)
	}
	say(`{"s":3` + told)
	if c.Done() || c.Complete != 1 || c.Answered != 1 || c.Said != 2 || len(c.Last) != 1 || len(c.Answers) != 1 {
		t.Errorf("%+v", c)
	}
	c.Going = false
	if next, _ := say(`{"op":101,"d":{"n":1,"e":{"code":"BUSY"}}}`); next != "" || c.Failed != 1 {
		t.Errorf("%+v, then %q", c, next)
	}
	c.Reset()
	if say(`{"s":4` + told); c.Lost != 1 || c.Said != 0 || !c.Done() {
		t.Errorf("%+v", c)
	}
	if text := string(c.next(cl, time.Now())); !strings.Contains(text, `"n":2,`) {
		t.Error(text)
	}
}
