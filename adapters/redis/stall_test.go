package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// valve is a hook that cuts a client off, as a network does that lets nothing through.
type valve struct{ shut atomic.Bool }

var errShut = errors.New("cut off")

func (v *valve) DialHook(next goredis.DialHook) goredis.DialHook          { return next }
func (v *valve) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }
func (v *valve) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if !v.shut.Load() {
			return next(ctx, cmds)
		}
		for _, c := range cmds {
			c.SetErr(errShut)
		}
		return errShut
	}
}

// stalled returns a taker that has taken items 0 to 2 of key "k", and what cuts it off.
func stalled(t *testing.T, addr string) (*redis.Queue, []message.Item, *valve) {
	client, v := connect(t, addr), new(valve)
	client.AddHook(v)
	q := open(t, client, "q", redis.QueueOptions{Lease: lease})
	for i := range 3 {
		if err := q.Put(t.Context(), message.Item{Key: "k", Data: fmt.Append(nil, i)}); err != nil {
			t.Fatal(err)
		}
	}
	return q, take(t, q, 3), v
}

// A taker that was taken for dead and comes back changes nothing.
func TestTakenForDead(t *testing.T) {
	t.Parallel()
	addr := servers.Redis(t).Addr()
	first, had, v := stalled(t, addr)
	v.shut.Store(true)
	second := open(t, connect(t, addr), "q", redis.QueueOptions{Lease: lease})
	has := take(t, second, 3)
	v.shut.Store(false)
	if has[0].Epoch == had[0].Epoch || has[0].Tries != 2 {
		t.Errorf("the second taker got epoch %d after %d, tries %d", has[0].Epoch, had[0].Epoch, has[0].Tries)
	}
	if err := first.Ack(t.Context(), had[:2]...); err != nil {
		t.Error(err)
	}
	if err := first.Bury(t.Context(), "late", had[2]); err != nil {
		t.Error(err)
	}
	dead, err := first.Dead(t.Context(), 10)
	if err != nil || len(dead) > 0 {
		t.Errorf("buried were %v, %v", dead, err)
	}
	if err := second.Ack(t.Context(), has[0]); err != nil {
		t.Error(err)
	}
	second.Die()
	again := take(t, first, 2) // now it is the next one
	if string(again[0].Data) != "1" || string(again[1].Data) != "2" || again[0].Tries != 3 || again[0].Epoch <= has[0].Epoch {
		t.Errorf("it got %+v", again)
	}
}

// A taker that was cut off while nobody else wanted what it has goes on.
func TestCutOff(t *testing.T) {
	t.Parallel()
	addr := servers.Redis(t).Addr()
	q, had, v := stalled(t, addr)
	v.shut.Store(true)
	if _, err := q.Take(t.Context(), 1); !errors.Is(err, errShut) {
		t.Errorf("Take returned %v", err)
	}
	wait(t.Context(), lease+lease/2)
	v.shut.Store(false)
	if err := q.Put(t.Context(), message.Item{Key: "k", Data: []byte("3")}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		items, err := q.Take(ctx, 10)
		if errors.Is(err, errShut) { // of before
			continue
		}
		if err != nil || len(items) != 1 || string(items[0].Data) != "3" || items[0].Epoch != had[0].Epoch {
			t.Errorf("it got %+v, %v", items, err)
		}
		break
	}
	if err := q.Ack(t.Context(), had...); err != nil {
		t.Error(err)
	}
	left, err := connect(t, addr).XLen(t.Context(), q.Items("k")).Result()
	if err != nil || left != 1 {
		t.Errorf("%d items are left, %v", left, err)
	}
}
