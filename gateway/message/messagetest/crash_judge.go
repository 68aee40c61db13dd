package messagetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// crashFound is what was seen, for people.
type crashFound struct {
	kills, sent, again int
	took               time.Duration
}

func (f crashFound) String() string {
	return fmt.Sprintf("%d kills in %v, %d messages acknowledged; %d deliveries were repeated", f.kills, f.took.Round(time.Second), f.sent, f.again)
}

// judge looks at what became of n messages of a channel.
func (w *crashWorld) judge(ctx context.Context, channel, n int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found.sent += n
	stored, newest := make(map[string]bool), -1
	var problems []error
	problem := func(format string, args ...any) {
		if len(problems) < 8 {
			problems = append(problems, fmt.Errorf("channel %d: "+format, append([]any{channel}, args...)...))
		}
	}
	for q := (message.Query{After: 1, Limit: message.MaxPage}); ; {
		page, err := w.store.Page(ctx, strconv.Itoa(channel), q)
		if err != nil {
			return err
		}
		for _, m := range page {
			number, err := strconv.Atoi(m.Content)
			switch {
			case err != nil || number >= n:
				problem("nobody sent %q", m.Content)
			case stored[m.Content]:
				problem("message %d is stored twice", number)
			case number < newest:
				problem("message %d is stored behind message %d", number, newest)
			case w.delivered[m.ID] == 0:
				problem("message %d is stored, and was not delivered", number)
			}
			stored[m.Content], newest, q.After = true, max(newest, number), m.ID
			w.found.again += max(0, w.delivered[m.ID]-1) // which may be: it is at least once
			delete(w.delivered, m.ID)
		}
		if len(page) < q.Limit {
			break
		}
	}
	for number := range n {
		if !stored[strconv.Itoa(number)] {
			problem("message %d was acknowledged, and is not stored", number)
		}
	}
	return errors.Join(problems...)
}
