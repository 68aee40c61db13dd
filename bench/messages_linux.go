package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/messages"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

// The ways in which messages are stored: through a pipeline, and straight, in the batches
// that it made, which is the limit.
const pipeline, limit = "pipeline", "limit"

// oneByOne is behind a way, or a scenario, in which every message is a batch.
const oneByOne = ", one by one"

// readers of one page come at once.
const readers = 1000

// messagesBench measures pipelines on stores, alone and behind a gateway.
func messagesBench() (failed error) {
	stores, err := choose(messages.Stores, *only)
	if err != nil {
		return err
	}
	var places messages.Places
	defer func() { failed = errors.Join(failed, places.Close()) }()
	for _, store := range stores {
		err := storeBench(&places, store)
		if errors.Is(err, messages.ErrMissing) {
			progress("%s: %v", store, err)
			continue
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func storeBench(places *messages.Places, store string) (failed error) {
	results := report.New("messages")
	if wanted("pipeline") {
		for _, indexed := range []bool{false, true} {
			if store == "memory" && indexed {
				continue // its index is for tests
			}
			if err := pipelineBench(results, places, store, indexed); err != nil {
				return err
			}
		}
	}
	if wanted("readers") {
		failed = readersBench(results, places, store)
	}
	if !wanted("gateway") || *part == "" {
		show(results, limit)
	}
	if wanted("gateway") {
		failed = errors.Join(failed, gatewayBench(places, store))
	}
	return failed
}

// wanted reports whether a part is to be measured.
func wanted(name string) bool { return *part == "" || *part == name }

// pipelineBench measures pipelines beside the store alone.
func pipelineBench(results *report.Results, places *messages.Places, store string, indexed bool) error {
	scenario := store
	if indexed {
		scenario += ", index"
	}
	during := orElse(*settle, time.Second, 200*time.Millisecond)
	batches := map[bool]messages.Run{} // by whether each message is alone
	ways := []string{pipeline, limit, pipeline + oneByOne, limit + oneByOne}
	rates, last := map[string]float64{}, 0      // of the last round
	for _, alone := range []bool{false, true} { // what the limit is given when it comes first
		run, err := storeOnce(places, store, indexed, alone, func(c messages.Config) (messages.Run, error) {
			return messages.Pipeline(context.Background(), c, during)
		})
		if err != nil {
			return err
		}
		batches[alone] = run
	}
	return interleave(orElse(*runs, 9, 2), ways, scenario, func(round int, way string) error {
		alone := strings.HasSuffix(way, oneByOne)
		if *profiles != "" && round == 0 {
			stop, err := profile(fmt.Sprintf("%s.%s.%s", *profiles, scenario, way))
			if err != nil {
				return err
			}
			defer stop()
		}
		run, err := storeOnce(places, store, indexed, alone, func(c messages.Config) (messages.Run, error) {
			if strings.HasPrefix(way, limit) {
				return messages.Limit(context.Background(), c, batches[alone].Batches)
			}
			return messages.Pipeline(context.Background(), c, during)
		})
		if err != nil {
			return err
		}
		if strings.HasPrefix(way, pipeline) {
			batches[alone] = run
		}
		n, name, of := float64(run.Messages), strings.TrimSuffix(way, oneByOne), scenario
		if alone {
			of += oneByOne
		}
		if round != last {
			clear(rates)
			last = round
		}
		rates[way] = n / run.Took.Seconds()
		results.Add(round, of, "messages_per_s", name, rates[way])
		results.Add(round, of, "cpu_us", name, 1e6*run.CPU/n)
		results.Add(round, of, "machine_cpu_us", name, 1e6*run.Machine/n)
		results.Add(round, of, "messages_per_batch", name, n/float64(len(run.Batches)))
		if len(rates) == len(ways) {
			results.Add(round, scenario, "times_one_by_one", pipeline, rates[pipeline]/rates[pipeline+oneByOne])
		}
		if store == "memory" || store == "sqlite" { // who have no server beside this process
			w := window{took: run.Took, cpu: run.CPU, others: run.Machine - run.CPU, collections: 1}
			results.Doubt(of, name, w.doubt())
		}
		return nil
	})
}

// profile begins a CPU profile of this process.
func profile(file string) (stop func(), err error) {
	w, err := os.Create(strings.ReplaceAll(file, ", ", "-"))
	if err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); w.Close() }, pprof.StartCPUProfile(w)
}

// storeOnce does something with a store that is empty.
func storeOnce(places *messages.Places, store string, indexed, alone bool, do func(messages.Config) (messages.Run, error)) (run messages.Run, err error) {
	c, remove, err := places.Of(store)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	c.Index, c.Alone = indexed, alone
	return do(c)
}

// readersBench counts what readers of one page at once cost the store.
func readersBench(results *report.Results, places *messages.Places, store string) error {
	_, err := storeOnce(places, store, false, false, func(c messages.Config) (run messages.Run, err error) {
		all, err := messages.HotChannel(context.Background(), c, readers, orElse(*number, 50, 10))
		most, sum := 0, 0
		for i, h := range all {
			most, sum = max(most, h.Reads), sum+h.Reads
			results.Add(i, fmt.Sprintf("%s, %d readers at once", store, readers), "ms_until_all_have_it", "cache", ms(h.Took))
		}
		results.Add(0, fmt.Sprintf("%s, %d readers at once", store, readers), "most_reads", "cache", float64(most))
		results.Add(0, fmt.Sprintf("%s, %d readers at once", store, readers), "mean_reads", "cache", float64(sum)/float64(len(all)))
		return run, err
	})
	return err
}
