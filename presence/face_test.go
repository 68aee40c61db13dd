package presence

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestFace(t *testing.T) {
	seen := func(status Status, activities string, platforms ...string) Presence {
		p := Presence{User: "ann", Status: status}
		for i := 0; i < len(platforms); i += 2 {
			if p.ClientStatus == nil {
				p.ClientStatus = map[string]Status{}
			}
			p.ClientStatus[platforms[i]] = Status(platforms[i+1])
		}
		if activities != "" {
			p.Activities = json.RawMessage(activities)
		}
		return p
	}
	type patch = map[string]any
	offline := seen(Offline, "")
	tests := []struct {
		name        string
		before, now Presence
		want        patch // nil: they look alike
	}{
		{"offline is how everybody begins", offline, offline, nil},
		{"alike", seen(Online, "[1]", "web", "online"), seen(Online, "[1]", "web", "online"), nil},
		{"comes", offline, seen(Idle, "[1]", "web", "idle"),
			patch{"status": Idle, "activities": json.RawMessage("[1]"), "client_status": patch{"web": Idle}}},
		{"goes", seen(Idle, "[1]", "web", "idle"), offline,
			patch{"status": Offline, "activities": json.RawMessage("[]"), "client_status": patch{"web": nil}}},
		{"another device", seen(Online, "", "web", "online"), seen(Online, "", "web", "online", "mobile", "idle"),
			patch{"client_status": patch{"mobile": Idle}}},
		{"one instead of another", seen(Online, "", "web", "online"), seen(Online, "", "mobile", "online"),
			patch{"client_status": patch{"web": nil, "mobile": Online}}},
		{"one of two changes", seen(Online, "", "web", "online", "mobile", "online"), seen(Online, "", "web", "online", "mobile", "idle"),
			patch{"client_status": patch{"mobile": Idle}}},
		{"activities alone", seen(Online, "[1]", "web", "online"), seen(Online, "[2]", "web", "online"),
			patch{"activities": json.RawMessage("[2]")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := face{}
			if tt.before.Status != Offline {
				f = faceOf(tt.before)
			}
			if got := f.is(tt.now); got != (tt.want == nil) {
				t.Errorf("is = %v", got)
			}
			got := f.delta(tt.now)
			if tt.want == nil && len(got) == 0 {
				return
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("delta = %v, want %v", got, tt.want)
			}
		})
	}
}
