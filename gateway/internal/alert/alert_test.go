package alert

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

var nan = math.NaN()

// at is a value at a second.
type at struct {
	second int
	value  float64
}

// every is one value a second, from second 0.
func every(values ...float64) (list []at) {
	for i, v := range values {
		list = append(list, at{i, v})
	}
	return list
}

// play returns what an evaluator of one rule says, as "+3 -9": fired at second
// 3, recovered at second 9.
func play(r Rule, values []at) string {
	e := New(r)
	var said []string
	for _, v := range values {
		for _, ev := range e.Evaluate(time.Unix(int64(1000+v.second), 0), []float64{v.value}) {
			sign := "-"
			if ev.State == Fired {
				sign = "+"
			}
			said = append(said, fmt.Sprint(sign, v.second))
		}
	}
	return strings.Join(said, " ")
}

func TestEvaluate(t *testing.T) {
	above := Rule{Name: "latency", Threshold: 10, RecoverAt: 8, For: 3 * time.Second, RecoverFor: 2 * time.Second}
	below := Rule{Name: "free", Threshold: 10, RecoverAt: 12, For: 3 * time.Second, RecoverFor: 2 * time.Second, Direction: Below}
	once := Rule{Name: "once", Threshold: 10, RecoverAt: 10}
	tests := []struct {
		name   string
		rule   Rule
		values []at
		want   string
	}{
		{"good", above, every(1, 2, 3, 4, 5), ""},
		{"bad for long enough", above, every(1, 11, 11, 11, 11, 11), "+4"},
		{"bad from the start", above, every(11, 11, 11, 11, 11), "+3"},
		{"bad for not quite long enough", above, every(11, 11, 11, 9, 11, 11, 11), ""},
		{"at the threshold", above, every(10, 10, 10, 10, 10, 10), ""},
		{"fires once", above, every(11, 12, 13, 14, 15, 16, 17, 99), "+3"},
		{"recovers", above, every(11, 11, 11, 11, 5, 5, 5, 5), "+3 -6"},
		{"recovers at the recover threshold", above, every(11, 11, 11, 11, 8, 8, 8), "+3 -6"},
		{"does not recover between the two", above, every(11, 11, 11, 11, 9, 9, 9, 9, 9, 9), "+3"},
		{"good for not quite long enough", above, every(11, 11, 11, 11, 5, 5, 9, 5, 5, 11, 5, 5), "+3"},
		{"fires again", above, every(11, 11, 11, 11, 5, 5, 5, 11, 11, 11, 11), "+3 -6 +10"},
		{"flaps every second", above, every(11, 5, 11, 5, 11, 5, 11, 5, 11, 5, 11, 5), ""},
		{"flaps every second after firing", above, every(11, 11, 11, 11, 5, 11, 5, 11, 5, 11, 5, 11), "+3"},
		{"flaps every two seconds", above, every(11, 11, 5, 5, 11, 11, 5, 5, 11, 11, 5, 5, 11, 11), ""},
		{"infinite", above, every(math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1), math.Inf(-1)), "+3 -6"},

		{"below, good", below, every(11, 99, 10, 12), ""},
		{"below, bad", below, every(9, 9, 9, 9, 9), "+3"},
		{"below, recovers", below, every(9, 9, 9, 9, 11, 11, 11, 12, 12, 12), "+3 -9"},

		{"at once", once, every(1, 11, 1, 11), "+1 -2 +3"},
		{"at once, at the threshold", once, every(11, 10, 11, 10), "+0 -1 +2 -3"},

		{"no data at all", above, every(nan, nan, nan, nan, nan), ""},
		{"no data while bad", above, every(11, nan, nan, 11), "+3"},
		{"no data does not fire", above, every(11, 11, nan, nan, nan, nan), ""},
		{"no data does not recover", above, every(11, 11, 11, 11, nan, nan, nan, nan, nan), "+3"},
		{"no data while good", above, every(11, 11, 11, 11, 5, nan, 5), "+3 -6"},

		{"seldom looked at", above, []at{{0, 11}, {60, 11}, {120, 5}, {180, 5}}, "+60 -180"},
		{"looked at twice a second", above, []at{{0, 11}, {0, 11}, {1, 11}, {1, 11}, {2, 11}, {2, 11}, {3, 11}}, "+3"},
		{"clock set back while bad", above, []at{{0, 11}, {2, 11}, {-100, 11}, {-99, 11}, {-98, 11}, {-97, 11}}, "+-97"},
		{"clock set back a little", above, []at{{0, 11}, {2, 11}, {1, 11}, {2, 11}, {3, 11}}, "+3"},
		{"clock set back while good", above, []at{{0, 11}, {3, 11}, {4, 5}, {-100, 5}, {-99, 5}, {-98, 5}}, "+3 --98"},
		{"clock set back without data", above, []at{{0, 11}, {-100, nan}, {-98, 11}, {-97, 11}}, "+-97"},
		{"clock set back between", above, []at{{0, 11}, {3, 11}, {-100, 11}, {-99, 5}, {-97, 5}}, "+3 --97"},
		{"clock set forward", above, []at{{0, 11}, {1000, 11}}, "+1000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := play(tt.rule, tt.values); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Rules do not disturb one another, and events say what decided.
func TestSeveralRules(t *testing.T) {
	rules := []Rule{
		{Name: "a", Threshold: 10, RecoverAt: 10, For: time.Second},
		{Name: "b", Threshold: 10, RecoverAt: 10, Direction: Below},
		{Name: "c", Threshold: 10, RecoverAt: 10},
	}
	e := New(rules...)
	start := time.Unix(1000, 0)
	tests := []struct {
		second time.Duration
		values []float64
		want   []Event
		firing int
	}{
		{0, []float64{11, 11, 0}, nil, 0},
		{1, []float64{12, 9, 0}, []Event{
			{Rule: rules[0], State: Fired, Value: 12, At: start.Add(time.Second), Since: start},
			{Rule: rules[1], State: Fired, Value: 9, At: start.Add(time.Second), Since: start.Add(time.Second)},
		}, 2},
		{2, []float64{12}, nil, 2},
		{3, nil, nil, 2},
		{4, []float64{1, nan, 99}, []Event{
			{Rule: rules[0], Value: 1, At: start.Add(4 * time.Second), Since: start.Add(4 * time.Second), Fired: 3 * time.Second},
			{Rule: rules[2], State: Fired, Value: 99, At: start.Add(4 * time.Second), Since: start.Add(4 * time.Second)},
		}, 2},
		{5, []float64{1, 10, 10, 77}, []Event{
			{Rule: rules[1], Value: 10, At: start.Add(5 * time.Second), Since: start.Add(5 * time.Second), Fired: 4 * time.Second},
			{Rule: rules[2], Value: 10, At: start.Add(5 * time.Second), Since: start.Add(5 * time.Second), Fired: time.Second},
		}, 0},
	}
	for _, tt := range tests {
		got := e.Evaluate(start.Add(tt.second*time.Second), tt.values)
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("second %d:\ngot  %v\nwant %v", tt.second, got, tt.want)
		}
		if e.Firing() != tt.firing {
			t.Errorf("second %d: %d fire, want %d", tt.second, e.Firing(), tt.firing)
		}
	}
}

// A clock that was set back does not make an alert last for less than nothing.
func TestFiredIsNotNegative(t *testing.T) {
	e := New(Rule{Name: "a", Threshold: 1, RecoverAt: 1})
	e.Evaluate(time.Unix(1000, 0), []float64{2})
	e.Evaluate(time.Unix(900, 0), []float64{2})
	got := e.Evaluate(time.Unix(905, 0), []float64{0})
	if len(got) != 1 || got[0].Fired != 5*time.Second {
		t.Errorf("%+v", got)
	}
}

func TestQuietEvaluationDoesNotAllocate(t *testing.T) {
	e := New(Rule{Name: "a", Threshold: 1, RecoverAt: 1})
	now, values := time.Unix(1000, 0), []float64{0}
	if n := testing.AllocsPerRun(100, func() { e.Evaluate(now, values) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestContradictions(t *testing.T) {
	tests := []struct {
		name  string
		rules []Rule
	}{
		{"a name twice", []Rule{{Name: "a"}, {Name: "a"}}},
		{"no number", []Rule{{Threshold: nan}}},
		{"no number to recover at", []Rule{{RecoverAt: nan}}},
		{"recovers while it is bad", []Rule{{Threshold: 1, RecoverAt: 2}}},
		{"recovers while it is bad, below", []Rule{{Threshold: 2, RecoverAt: 1, Direction: Below}}},
		{"negative", []Rule{{For: -1}}},
		{"negative recovery", []Rule{{RecoverFor: -1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("New takes it")
				}
			}()
			New(tt.rules...)
		})
	}
}
