package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/load"
	"github.com/gatehouse-go/gatehouse/bench/messages"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

// members is how many are in each channel, and are told what one of them says.
const members = 20

// The two kinds of servers.
const batched, unbatched = "batched", "unbatched"

// gatewayBench has clients of a gateway talk: first each as soon as it was answered, then
// all together at half and at four fifths of the rate that this had without batches, whoever
// keeps up.
func gatewayBench(places *messages.Places, store string) error {
	results, ways := report.New("messages"), []string{batched, unbatched}
	most := store + " behind a gateway"
	during := orElse(*settle, 2*time.Second, 300*time.Millisecond)
	failed := interleave(orElse(*runs, 9, 1), ways, most, func(round int, way string) error {
		return talkOnce(places, store, way == unbatched, func(t *talk) error { return t.most(results, round, most, during) })
	})
	show(results, unbatched)
	highest := results.Value(most, "messages_per_s", unbatched)
	if !(highest >= 2) {
		return errors.Join(failed, fmt.Errorf("%s: its rate is not known", most))
	}
	for _, share := range []int{50, 80} {
		rate := int(highest) * share / 100
		paced := fmt.Sprintf("%s at %d %%, %d a second", most, share, rate)
		failed = errors.Join(failed, interleave(orElse(*runs, 9, 1), ways, paced, func(round int, way string) error {
			return talkOnce(places, store, way == unbatched, func(t *talk) error { return t.paced(results, round, paced, rate, during) })
		}))
		if *asJSON {
			show(results, unbatched)
			continue
		}
		failed = errors.Join(failed, stageTable(os.Stdout, results, paced, ways))
	}
	return failed
}

// talk is a server and its clients.
type talk struct {
	*setup
	chat *load.Chat
}

// talkOnce does something with a server that has just been started and with clients that
// are signed in.
func talkOnce(places *messages.Places, store string, alone bool, do func(*talk) error) (err error) {
	c, remove, err := places.Of(store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	c.Alone, c.Index = alone, store != "memory"
	name := batched
	if alone {
		name = unbatched
	}
	p, err := start(c.String(), 1)
	if err != nil {
		return err
	}
	chat := &load.Chat{Channel: messages.ChannelOf, Members: members, Text: messages.Text}
	crowd, err := load.New(p.addr, messages.Channels*members, chat.Speaker())
	if err != nil {
		p.stop()
		return err
	}
	t := &talk{&setup{name, p, crowd}, chat}
	defer t.close()
	if err := t.connect(); err != nil {
		return err
	}
	return do(t)
}

// most has everybody talk for a while, each as soon as it was answered.
func (t *talk) most(results *report.Results, round int, scenario string, during time.Duration) error {
	all := func(during time.Duration) error {
		t.chat.Reset()
		t.chat.Going = true
		began := time.Now()
		for _, cl := range t.crowd.Clients {
			t.chat.Say(cl, began)
		}
		for time.Since(began) < during {
			t.crowd.Step(10 * time.Millisecond)
		}
		t.chat.Going = false
		return t.settle()
	}
	if err := t.warm(func() error { return all(during / 3) }); err != nil {
		return err
	}
	w, err := t.measure(func() error { return all(during) })
	if err != nil {
		return err
	}
	n := float64(t.chat.Said)
	t.note(results, round, scenario, "cpu_us", w, n/1e6)
	results.Add(round, scenario, "messages_per_s", t.name, n/w.took.Seconds())
	return nil
}

// paced has one after the other talk, at a rate.
func (t *talk) paced(results *report.Results, round int, scenario string, rate int, during time.Duration) error {
	all := func(during time.Duration) error {
		t.chat.Reset()
		began := time.Now()
		for {
			at := time.Since(began)
			if at > during {
				return t.settle()
			}
			for due := int(at.Seconds() * float64(rate)); t.chat.Said < due; {
				n := t.chat.Said
				t.chat.Say(t.crowd.Clients[n%len(t.crowd.Clients)], began.Add(time.Duration(n+1)*time.Second/time.Duration(rate)))
			}
			t.crowd.Step(time.Millisecond)
		}
	}
	if err := t.warm(func() error { return all(during / 3) }); err != nil {
		return err
	}
	if _, err := t.server.ask("stages"); err != nil { // the warm-up's
		return err
	}
	w, err := t.measure(func() error { return all(during) })
	if err != nil {
		return err
	}
	t.note(results, round, scenario, "cpu_us", w, float64(t.chat.Said)/1e6)
	text, err := t.server.ask("stages")
	if err != nil {
		return err
	}
	stages := map[string]messages.Spread{}
	if err := json.Unmarshal([]byte(text), &stages); err != nil {
		return err
	}
	stages["answer"], stages["last delivery"] = spread(t.chat.Answers), spread(t.chat.Last)
	for name, s := range stages {
		results.Add(round, scenario, name+"_p50", t.name, s.P50)
		results.Add(round, scenario, name+"_p99", t.name, s.P99)
		results.Add(round, scenario, name+"_p999", t.name, s.P999)
	}
	return nil
}

func spread(took []time.Duration) messages.Spread {
	at := func(share float64) float64 { return ms(report.Percentile(took, share)) }
	return messages.Spread{N: uint64(len(took)), P50: at(0.5), P99: at(0.99), P999: at(0.999)}
}

// settle waits until everybody has all that was said.
func (t *talk) settle() error {
	for deadline := time.Now().Add(30 * time.Second); !t.chat.Done(); t.crowd.Step(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("of %d messages %d were answered, %d delivered to all within 30 s", t.chat.Said, t.chat.Answered, t.chat.Complete)
		}
	}
	if t.chat.Failed > 0 || t.chat.Lost > 0 {
		return fmt.Errorf("of %d messages %d were refused, and %d others came", t.chat.Said, t.chat.Failed, t.chat.Lost)
	}
	return nil
}
