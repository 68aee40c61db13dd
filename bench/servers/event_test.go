package servers

import (
	"encoding/json"
	"testing"
	"time"
)

func TestEvent(t *testing.T) {
	for _, size := range []int{33, 34, 128, 4096} {
		b := event(time.Now(), size)
		var v struct {
			At int64 `json:"at"`
		}
		if err := json.Unmarshal(b, &v); err != nil || len(b) != size || time.Since(time.Unix(0, v.At)) > time.Minute {
			t.Errorf("%d bytes were asked for: %d, %v: %s", size, len(b), err, b)
		}
	}
	if got, want := string(event(time.Unix(1, 2), 1)), `{"at":0000000001000000002,"x":""}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
