package messages

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Limit gives the store, and the index, batches of the sizes that a pipeline gave it, as
// many at a time, one after the other for each channel. The messages are ready.
func Limit(ctx context.Context, c Config, batches []batch) (run Run, err error) {
	o, err := c.open(ctx)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	warm := batches[:len(batches)/5]
	ids := message.NewIDs(0)
	lines, _, err := ready(ids, warm)
	if err == nil {
		err = o.drive(ctx, lines)
	}
	if err != nil {
		return run, err
	}
	lines, n, err := ready(ids, batches)
	if err != nil {
		return run, err
	}
	run, err = measure(func() error { return o.drive(ctx, lines) })
	run.Messages, run.Batches = n, batches
	return run, err
}

// line is the batches of a channel that are to be stored.
type line struct {
	channel string
	batches [][]message.Message
}

// ready makes the messages, in lines.
func ready(ids *message.IDs, batches []batch) (lines []*line, n int, err error) {
	byChannel := map[string]*line{}
	for _, b := range batches {
		l := byChannel[b.channel]
		if l == nil {
			l = &line{channel: b.channel}
			byChannel[b.channel] = l
			lines = append(lines, l)
		}
		messages := make([]message.Message, b.size)
		for i := range messages {
			id, err := ids.Next(0)
			if err != nil {
				return nil, 0, err
			}
			messages[i] = message.Message{
				ID: id, Channel: b.channel, Author: "author-" + strconv.Itoa(n%talking), Content: texts[n%len(texts)], Nonce: strconv.Itoa(n),
			}
			n++
		}
		l.batches = append(l.batches, messages)
	}
	return lines, n, nil
}

// drive stores lines, in turns.
func (o opened) drive(ctx context.Context, lines []*line) error {
	turns, failed := make(chan *line, len(lines)), make(chan error, concurrency)
	var left sync.WaitGroup // batches
	for _, l := range lines {
		left.Add(len(l.batches))
		turns <- l
	}
	go func() { left.Wait(); close(turns) }()
	var workers sync.WaitGroup
	for range concurrency {
		workers.Go(func() {
			for l := range turns {
				b := l.batches[0]
				if err := o.store(ctx, l.channel, b); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
				if l.batches = l.batches[1:]; len(l.batches) > 0 {
					turns <- l
				}
				left.Done()
			}
		})
	}
	workers.Wait()
	close(failed)
	return <-failed
}

// store gives them the time that a pipeline does.
func (o opened) store(ctx context.Context, channel string, batch []message.Message) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := o.Append(ctx, channel, batch); err != nil {
		return err
	}
	if o.index != nil {
		return o.index.Add(ctx, batch)
	}
	return nil
}
