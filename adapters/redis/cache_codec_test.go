package redis

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func TestPageCodec(t *testing.T) {
	full := message.Message{ID: math.MaxUint64, Channel: "c", Author: "ann", Content: "\x00\xff頻道", Data: []byte{0, 255}, Nonce: "n", Edited: time.UnixMilli(1_800_000_000_123).UTC()}
	for _, page := range [][]message.Message{{}, {{Channel: "c"}}, {full, {ID: 1, Channel: "c", Content: strings.Repeat("x", 5000)}, full}} {
		got, err := decodePage("c", string(encodePage(page, 1<<20)))
		if err != nil || !reflect.DeepEqual(got, page) {
			t.Errorf("%+v came back as %+v, %v", page, got, err)
		}
	}
	if page := encodePage([]message.Message{full, full}, 50); page != nil {
		t.Errorf("a page of %d bytes, want at most 50", len(page))
	}
	whole := string(encodePage([]message.Message{full}, 1<<20))
	broken := []string{"\x02\x00", whole + "x", "\x01\xff\xff\xff\xff\x0f", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}
	for n := range whole {
		broken = append(broken, whole[:n])
	}
	for _, page := range broken {
		if got, err := decodePage("c", page); err == nil {
			t.Errorf("%q is %+v", page, got)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add(string(encodePage([]message.Message{{ID: 7, Author: "ann", Content: "hello"}}, 100)))
	f.Add("\x01\x02\x05\x00")
	f.Fuzz(func(t *testing.T, page string) {
		messages, err := decodePage("c", page)
		if err != nil {
			return
		}
		again, err := decodePage("c", string(encodePage(messages, 1<<30)))
		if err != nil || !reflect.DeepEqual(again, messages) {
			t.Errorf("%q is %+v, then %+v, %v", page, messages, again, err)
		}
	})
}

// Each query has a name of its own, and names in scripts are none of them.
func TestNameOf(t *testing.T) {
	names := map[string]bool{"server": true, "generation": true}
	for _, id := range []message.ID{1, 35, 36, math.MaxUint64} {
		for _, limit := range []int{1, 11, message.MaxPage} {
			for _, q := range []message.Query{{Before: id, Limit: limit}, {After: id, Limit: limit}, {Around: id, Limit: limit}, {Limit: limit + int(id%1000)*1000}} {
				if names[nameOf(q)] {
					t.Errorf("%+v is %q, as another one", q, nameOf(q))
				}
				names[nameOf(q)] = true
			}
		}
	}
}
