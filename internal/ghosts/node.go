package ghosts

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// options are those of all trackers: short for who waits, long for a machine that is busy.
func options(s presence.Store) presence.Options {
	return presence.Options{
		Store: s, Lease: 2 * time.Second, Backoff: time.Second, Grace: 4 * time.Second, Window: 20 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// Node is what a node's process does: it says of people what it is told on in, a line each, until that ends, and
// answers on out.
func Node(s presence.Store, in io.Reader, out io.Writer) error {
	tracker, err := presence.New(options(s))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	for lines := bufio.NewScanner(in); lines.Scan(); {
		line := lines.Text()
		go func() {
			err := obey(tracker, line)
			number, _, _ := strings.Cut(line, " ")
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(out, number, err == nil)
		}()
	}
	return tracker.Close(context.Background())
}

// obey does what a line says: number, what, user, session, status.
func obey(t *presence.Tracker, line string) error {
	var number int
	var what, user, session, status string
	if _, err := fmt.Sscan(line, &number, &what, &user, &session, &status); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	switch what {
	case "set":
		return t.Set(ctx, presence.Device{User: user, Session: session, Status: presence.Status(status)})
	case "leave":
		return t.Leave(ctx, user, session)
	}
	return t.Remove(ctx, user, session)
}
