package gatewaytest

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// places are what positions=1 tells a client: the last place of each topic, by its
// tag. The zero value is ready to use.
type places struct {
	last map[string]place
	all  uint64 // how many have come
}

type place struct {
	text string // TAG:OFFSET
	n    uint64 // counts up
}

func (p *places) note(text string) {
	tag, _, ok := strings.Cut(text, ":")
	if !ok {
		return
	}
	if p.last == nil {
		p.last = make(map[string]place)
	}
	p.all++
	p.last[tag] = place{text, p.all}
}

// newest returns the newest places that fit into so many bytes of JSON, newest first.
func (p *places) newest(bytes int) []string {
	texts := []string{}
	for _, at := range slices.SortedFunc(maps.Values(p.last), func(a, b place) int { return cmp.Compare(b.n, a.n) }) {
		if bytes -= len(at.text) + len(`"",`); bytes < 0 {
			break
		}
		texts = append(texts, at.text)
	}
	return texts
}

func (p *places) clone() places { return places{maps.Clone(p.last), p.all} }
