package kafka_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// victim has the address and the topic from which a second process of this test takes until it is
// killed.
const victim = "KAFKA_TEST_VICTIM"

// event is what a taker said that it did.
type event struct {
	taker, line int // which one, and what it said before
	acked       bool
	key         int
	n, tries    int
	epoch       uint64
}

// Processes that take are killed at random instants: what one had acknowledged is not taken again,
// all the rest is, in order.
func TestCrashTaker(t *testing.T) {
	if at := os.Getenv(victim); at != "" {
		addr, topic, _ := strings.Cut(at, " ")
		takeForever(addr, topic)
	}
	t.Parallel()
	const keys = 12
	o := options(broker(t).Addr())
	putter := open(t, o)
	var mu sync.Mutex
	var events []event
	var reading sync.WaitGroup
	count := 0
	start := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCrashTaker$")
		cmd.Env = append(os.Environ(), victim+"="+o.Brokers[0]+" "+o.Topic)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		taker := count
		count++
		reading.Go(func() {
			for lines, line := bufio.NewScanner(out), 0; lines.Scan(); line++ {
				e, what := event{taker: taker, line: line}, ""
				if _, err := fmt.Sscan(lines.Text(), &what, &e.key, &e.n, &e.tries, &e.epoch); err != nil {
					t.Errorf("taker %d: %s", taker, lines.Text())
					continue
				}
				e.acked = what == "acked"
				mu.Lock()
				events = append(events, e)
				mu.Unlock()
			}
		})
		return cmd
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	total := make([]int, keys)
	var putting sync.WaitGroup
	stop := make(chan struct{})
	putting.Go(func() {
		for n := 0; ; n++ {
			for k := range keys {
				put(t, putter, fmt.Sprint(k), n, n+1)
				total[k]++
			}
			select {
			case <-stop:
				return
			default:
				rest(ctx, 2*time.Millisecond)
			}
		}
	})
	takers := []*exec.Cmd{start(), start()}
	defer func() {
		for _, cmd := range takers {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}()
	for range *instants {
		rest(ctx, time.Duration(500+rand.IntN(2500))*time.Millisecond)
		doomed := takers[0]
		doomed.Process.Kill()
		takers = append(takers[1:], start())
		doomed.Wait()
	}
	close(stop)
	putting.Wait()
	settled := func() (left int) {
		mu.Lock()
		defer mu.Unlock()
		newest := make([]int, keys)
		for _, e := range events {
			if e.acked {
				newest[e.key] = max(newest[e.key], e.n+1)
			}
		}
		for k := range keys {
			left += total[k] - newest[k]
		}
		return left
	}
	for late := soon(t); settled() > 0 && late.Err() == nil; {
		rest(late, 50*time.Millisecond)
	}
	for _, cmd := range takers {
		cmd.Process.Kill()
	}
	reading.Wait()
	verify(t, events, total)
}

func takeForever(addr, topic string) {
	o := options(addr)
	o.Topic = topic
	ctx := context.Background()
	q, err := kafka.Open(ctx, o)
	for err == nil {
		var items []message.Item
		if items, err = q.Take(ctx, 1+rand.IntN(30)); err != nil {
			break
		}
		say := func(what string, items []message.Item) {
			text := ""
			for _, it := range items {
				text += fmt.Sprintln(what, it.Key, string(it.Data), it.Tries, it.Epoch)
			}
			fmt.Print(text)
		}
		say("took", items)
		part := rand.IntN(len(items) + 1)
		for _, some := range [][]message.Item{items[part:], items[:part]} { // the later ones first
			if err = q.Ack(ctx, some...); err != nil {
				break
			}
			say("acked", some)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// verify judges what takers said.
func verify(t *testing.T, events []event, total []int) {
	slices.SortFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.line, b.line))
	})
	type item struct{ key, n int }
	taken, acked := make(map[item]int), make(map[item]bool)
	again := 0
	highest := make(map[int]int)
	var before event
	for _, e := range events {
		it := item{e.key, e.n}
		if before.key == e.key && before.epoch == e.epoch && before.taker != e.taker {
			t.Fatalf("key %d: takers %d and %d have epoch %d", e.key, before.taker, e.taker, e.epoch)
		}
		before = e
		if e.acked {
			acked[it] = true
			continue
		}
		switch {
		case acked[it]:
			t.Fatalf("item %v was taken again, though it had been acknowledged: %+v", it, e)
		case e.tries <= taken[it]:
			t.Fatalf("item %v was taken %d times before: %+v", it, taken[it], e)
		case e.n > highest[e.key]:
			t.Fatalf("item %v was taken, and number %d never", it, highest[e.key])
		}
		if e.tries > 1 {
			again++
		}
		taken[it] = e.tries
		highest[e.key] = max(highest[e.key], e.n+1)
	}
	sum := 0
	for k, n := range total {
		if highest[k] != n {
			t.Errorf("of key %d, %d items were put and %d taken", k, n, highest[k])
		}
		sum += n
	}
	t.Logf("%d items, %d of them taken again, %d kills", sum, again, *instants)
}
