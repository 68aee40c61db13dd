package shard

import "testing"

func TestForGuild(t *testing.T) {
	for _, tt := range []struct {
		id   uint64
		n    int
		want int
	}{
		{0, 1, 0},
		{1<<22 - 1, 7, 0},
		{1 << 22, 7, 1},
		{175928847299117063, 16, 175928847299117063 >> 22 % 16},
		{197038439483310086, 1, 0},
		{1<<64 - 1, 3, (1<<42 - 1) % 3},
		{1<<64 - 1, 1 << 30, (1<<42 - 1) % (1 << 30)},
	} {
		if got := ForGuild(tt.id, tt.n); got != tt.want {
			t.Errorf("ForGuild(%d, %d) = %d, want %d", tt.id, tt.n, got, tt.want)
		}
	}
}

func TestForGuildRefusesNoShards(t *testing.T) {
	for _, n := range []int{0, -1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("ForGuild(1, %d) did not panic", n)
				}
			}()
			ForGuild(1, n)
		}()
	}
}
