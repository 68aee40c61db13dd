package kafka

import (
	"math"
	"reflect"
	"testing"
)

func TestProgress(t *testing.T) {
	for name, p := range map[string]progress{
		"nothing yet":    {epoch: 1, owner: math.MaxUint64, end: 0},
		"all dealt with": {epoch: 300, owner: 1, end: 1 << 50},
		"one out":        {epoch: 2, owner: 7, end: 11, todo: []run{{10, 11, 1}}},
		"holes":          {epoch: 2, owner: 7, end: 900, todo: []run{{10, 11, 1}, {12, 300, 2}, {300, 301, 127}, {800, 801, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decode(p.first(), p.encode())
			if err != nil || !reflect.DeepEqual(got, p) {
				t.Errorf("%+v became %+v, %v", p, got, err)
			}
		})
	}
}

// What a partition can come to fits beside an offset.
func TestProgressFits(t *testing.T) {
	const most = 4096
	step := int64(maxSpan / maxOpen)
	for name, tries := range map[string]func(i int64) int{
		"each its own": func(i int64) int { return int(i % 2 * 1000) },
		"much tried":   func(int64) int { return math.MaxInt },
	} {
		p := progress{epoch: math.MaxInt64, owner: math.MaxUint64}
		for i := range int64(maxOpen) {
			p.todo = append(p.todo, run{i * step, i*step + 1, tries(i)})
		}
		p.todo[maxOpen-1] = run{maxSpan - 1, maxSpan, 1}
		p.end = maxSpan
		if n := len(p.encode()); n > most {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

func TestForeignProgress(t *testing.T) {
	for _, text := range []string{"kgo-member-1", "AA", "AQ", "AgEB", "!"} {
		if p, err := decode(42, text); err == nil || p.first() != 42 || p.end != 42 {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
	if p, err := decode(42, ""); err != nil || p.end != 42 {
		t.Errorf("no text: %+v, %v", p, err)
	}
}

func FuzzProgress(f *testing.F) {
	f.Add(int64(10), progress{epoch: 2, owner: 7, end: 900, todo: []run{{10, 11, 1}, {12, 300, 2}, {800, 801, 0}}}.encode())
	f.Add(int64(0), progress{}.encode())
	f.Add(int64(math.MaxInt64), "AQE")
	f.Fuzz(func(t *testing.T, first int64, text string) {
		p, err := decode(first, text)
		if p.first() != first {
			t.Fatalf("the offset %d became %d", first, p.first())
		}
		at := first
		for _, r := range p.todo {
			if r.from < at || r.to <= r.from || r.to > p.end {
				t.Fatalf("%+v", p)
			}
			at = r.to
		}
		if err != nil || text == "" {
			return
		}
		if again, err := decode(first, p.encode()); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
	})
}
