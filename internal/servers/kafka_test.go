package servers

import (
	"bytes"
	"testing"
)

func TestKafka(t *testing.T) {
	s := Kafka(t, "num.partitions=4")
	topics := func(body string) []byte { // metadata, version 1
		answer, err := kafkaAsk(t.Context(), s.Addr(), 3, 1, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	const one, all, found = "\x00\x00\x00\x01\x00\x04kept", "\xff\xff\xff\xff", "\x00\x04kept\x00\x00\x00\x00\x04"
	eventually(t, "topic kept of 4 partitions", func() bool { return bytes.Contains(topics(one), []byte(found)) })
	s.Kill()
	if answer, err := kafkaAsk(t.Context(), s.Addr(), 3, 1, []byte(all)); err == nil {
		t.Errorf("after Kill it answers %q", answer)
	}
	s.Start()
	eventually(t, "topic kept after a restart", func() bool { return bytes.Contains(topics(all), []byte(found)) })
}
