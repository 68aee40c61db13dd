package message

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

// hooked is a store whose Append does something else, if it is set.
type hooked struct {
	*MemoryStore
	append func(ctx context.Context, channel string, batch []Message) error
	pages  int
}

func (h *hooked) Append(ctx context.Context, channel string, batch []Message) error {
	if h.append != nil {
		return h.append(ctx, channel, batch)
	}
	return h.MemoryStore.Append(ctx, channel, batch)
}

func (h *hooked) Page(ctx context.Context, channel string, q Query) ([]Message, error) {
	h.pages++
	return h.MemoryStore.Page(ctx, channel, q)
}

// inBubble runs a test with a store in a bubble.
func inBubble(t *testing.T, do func(t *testing.T, h *hooked)) {
	synctest.Test(t, func(t *testing.T) {
		inOurTime()
		do(t, &hooked{MemoryStore: NewMemoryStore()})
	})
}

// pass has the time of a bubble pass.
func pass(d time.Duration) { time.Sleep(d) }

// inOurTime has it pass until a year in which ids grow: bubbles begin before ids do.
func inOurTime() { pass(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) }

func mustNew(t *testing.T, o Options) *Pipeline {
	t.Helper()
	if o.OnError == nil {
		o.OnError = func(Stage, []Message, error) {}
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustSend(t *testing.T, p *Pipeline, m Message) Message {
	t.Helper()
	got, err := p.Send(t.Context(), m)
	if err != nil || got.ID == 0 {
		t.Errorf("sent %+v: %v", m, err)
	}
	return got
}

// all is what a channel has.
func (h *hooked) all(t *testing.T, channel string) []Message {
	t.Helper()
	page, err := h.MemoryStore.Page(t.Context(), channel, Query{Limit: MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func wantRefusal(t *testing.T, err error, code string) *Refusal {
	t.Helper()
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("got the error %v, want %s", err, code)
		return new(Refusal)
	}
	return refusal
}

func hello(nonce string) Message {
	return Message{Channel: "7", Author: "ann", Content: "hello", Nonce: nonce}
}

func TestNewWithoutStore(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("a pipeline without a store")
	}
}

func TestIDIsThePipelines(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		p := mustNew(t, Options{Store: h})
		for _, id := range []ID{1, At(time.Now().Add(time.Second))} {
			m := hello("")
			m.ID = id
			if got := mustSend(t, p, m); got.ID == id {
				t.Errorf("the sender gave the id %d", id)
			}
		}
	})
}

func TestBusy(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		h.append = func(context.Context, string, []Message) error { time.Sleep(2 * time.Second); return nil }
		p := mustNew(t, Options{Store: h, Batch: batch.Options{MaxPending: 4, MaxItems: 1}})
		mustSend(t, p, hello("")) // one takes 2 s
		synctest.Wait()           // until its place is free
		var waiting sync.WaitGroup
		for range 4 {
			waiting.Go(func() { p.Send(t.Context(), hello("")) })
		}
		synctest.Wait()
		if n := p.Stats().Waiting; n != 4 {
			t.Errorf("%d wait", n)
		}
		began := time.Now()
		_, err := p.Send(t.Context(), hello(""))
		refusal := wantRefusal(t, err, CodeBusy)
		if refusal.RetryAfter != 4*time.Second || time.Since(began) > 0 {
			t.Errorf("after %v: %+v, want to come back when half of the line is gone", time.Since(began), refusal)
		}
		waiting.Wait()
		synctest.Wait()
		mustSend(t, p, hello(""))
	})
}

func TestBusyBounds(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{time.Microsecond: leastWait, time.Hour: mostWait} {
		inBubble(t, func(t *testing.T, h *hooked) {
			h.append = func(context.Context, string, []Message) error { time.Sleep(took); return nil }
			p := mustNew(t, Options{Store: h, Batch: batch.Options{MaxPending: 2, MaxItems: 1, Timeout: -1}})
			mustSend(t, p, hello(""))
			synctest.Wait()
			var waiting sync.WaitGroup
			for range 2 {
				waiting.Go(func() { p.Send(t.Context(), hello("")) })
			}
			synctest.Wait()
			_, err := p.Send(t.Context(), hello(""))
			if refusal := wantRefusal(t, err, CodeBusy); refusal.RetryAfter != want {
				t.Errorf("a store that takes %v: come back after %v", took, refusal.RetryAfter)
			}
			waiting.Wait()
		})
	}
}

func TestLimit(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		var wait time.Duration
		var fails error
		p := mustNew(t, Options{Store: h, Limit: func(_ context.Context, m Message) (time.Duration, error) {
			if m.Author != "ann" {
				t.Errorf("asked for %+v", m)
			}
			return wait, fails
		}})
		wait = 3 * time.Second
		_, err := p.Send(t.Context(), hello(""))
		if refusal := wantRefusal(t, err, CodeLimited); refusal.RetryAfter != wait {
			t.Errorf("come back after %v", refusal.RetryAfter)
		}
		if n := len(h.all(t, "7")); n != 0 {
			t.Errorf("%d are stored", n)
		}
		fails = errors.New("the limiter is down")
		mustSend(t, p, hello("")) // and limits nobody
		wait, fails = 0, nil
		mustSend(t, p, hello(""))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.Send(ctx, hello("")); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
	})
}

func TestValidate(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		mine := &Refusal{Code: "SPAM", Message: "no"}
		p := mustNew(t, Options{Store: h, Validate: func(_ context.Context, m *Message) error {
			switch m.Content {
			case "spam":
				return fmt.Errorf("mine: %w", mine)
			case "bad":
				return errors.New("it is bad")
			}
			m.Content, m.Data = strings.ToUpper(m.Content), []byte("more")
			m.Channel, m.Author, m.Nonce = "8", "bob", "2" // which it may not
			return nil
		}})
		got := mustSend(t, p, hello("1"))
		want := Message{ID: got.ID, Channel: "7", Author: "ann", Nonce: "1", Content: "HELLO", Data: []byte("more")}
		if stored := h.all(t, "7"); len(stored) != 1 || fmt.Sprint(stored[0]) != fmt.Sprint(want) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("sent %+v, stored %+v, want %+v", got, stored, want)
		}
		_, err := p.Send(t.Context(), Message{Channel: "7", Content: "spam"})
		if !errors.Is(err, error(mine)) {
			t.Errorf("got %v, want the application's own refusal", err)
		}
		_, err = p.Send(t.Context(), Message{Channel: "7", Content: "bad"})
		if refusal := wantRefusal(t, err, CodeInvalid); refusal.Cause == nil || refusal.RetryAfter != 0 {
			t.Errorf("%+v", refusal)
		}
	})
}

func TestOwner(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		now := Ownership{Node: "a", Here: true, Epoch: 1}
		owner := func(string) Ownership { return now }
		future := func() time.Time { return time.Now().Add(30 * time.Second) }
		a := mustNew(t, Options{Store: h, Owner: owner, IDs: newIDs(1, time.Now)})
		b := mustNew(t, Options{Store: h, IDs: newIDs(2, future)})
		first := mustSend(t, a, hello("1"))
		pages := h.pages
		mustSend(t, a, hello("2"))
		if h.pages != pages {
			t.Errorf("the channel was read again: %d pages", h.pages-pages)
		}

		now = Ownership{Node: "b"}
		var elsewhere *NotOwnerError
		if _, err := a.Send(t.Context(), hello("3")); !errors.As(err, &elsewhere) || elsewhere.Owner != "b" || elsewhere.Channel != "7" {
			t.Errorf("got %v, want that it belongs to b", err)
		}
		again := mustSend(t, b, hello("1"))
		third := mustSend(t, b, hello("3"))

		now = Ownership{Node: "a", Here: true, Epoch: 3}
		repeated := mustSend(t, a, hello("3"))
		fourth := mustSend(t, a, hello("4"))
		if again.ID != first.ID || repeated.ID != third.ID {
			t.Errorf("what was stored elsewhere was stored again: %d, %d and %d, %d", first.ID, again.ID, third.ID, repeated.ID)
		}
		if fourth.ID <= third.ID {
			t.Errorf("%d after %d", fourth.ID, third.ID)
		}
	})
}

func TestClockOfAnother(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		ahead := func(d time.Duration) ID { return At(time.Now().Add(d)) }
		h.MemoryStore.Append(t.Context(), "7", []Message{{ID: ahead(59 * time.Second), Channel: "7"}})
		h.MemoryStore.Append(t.Context(), "8", []Message{{ID: ahead(2 * time.Minute), Channel: "8"}})
		p := mustNew(t, Options{Store: h})
		if m := mustSend(t, p, hello("")); m.ID <= ahead(59*time.Second) {
			t.Errorf("%d comes before what is there", m.ID)
		}
		m := hello("1")
		m.Channel = "8"
		_, err := p.Send(t.Context(), m)
		if wantRefusal(t, err, CodeUnavailable); !errors.Is(err, ErrClock) {
			t.Errorf("got %v, want ErrClock", err)
		}
		time.Sleep(2 * time.Minute)
		mustSend(t, p, m)
	})
}

func TestBatchTakenInPart(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		refuse := true
		h.append = func(ctx context.Context, channel string, batch []Message) error {
			failed, taken := make(BatchError), []Message(nil)
			for i, m := range batch {
				if strings.HasSuffix(m.Content, "3") && refuse {
					failed[i] = fmt.Errorf("%s is unlucky", m.Content)
					continue
				}
				taken = append(taken, m)
			}
			return errors.Join(h.MemoryStore.Append(ctx, channel, taken), failed)
		}
		var d delivered
		p := mustNew(t, Options{Store: h, Deliver: d.deliver, Batch: batch.Options{MaxDelay: time.Millisecond}})
		say := func(i int) (Message, error) {
			return p.Send(t.Context(), Message{Channel: "7", Author: "ann", Nonce: fmt.Sprint(i), Content: fmt.Sprint("number ", i)})
		}
		var all sync.WaitGroup
		for i := range 30 {
			for range 2 { // in one batch
				all.Go(func() {
					m, err := say(i)
					if i%10 != 3 {
						if err != nil || m.Content != fmt.Sprint("number ", i) {
							t.Errorf("number %d: %+v, %v", i, m, err)
						}
						return
					}
					if refusal := wantRefusal(t, err, CodeNotStored); refusal.RetryAfter != 0 || !strings.Contains(refusal.Error(), fmt.Sprintf("number %d is unlucky", i)) {
						t.Errorf("number %d heard %v", i, refusal)
					}
				})
			}
		}
		all.Wait()
		if stored := len(h.all(t, "7")); stored != 27 || len(d.ids["7"]) != 27 {
			t.Errorf("%d are stored, %d delivered, want 27", stored, len(d.ids["7"]))
		}
		if s := p.Stats().Stages["store"]; s.Messages != 30 || s.Failed != 3 {
			t.Errorf("counted %+v", s)
		}
		refuse = false
		if m, err := say(3); err != nil || m.ID == 0 { // its nonce is free
			t.Errorf("sent again: %v", err)
		}
	})
}

func TestSendThatIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		h.append = func(ctx context.Context, channel string, batch []Message) error {
			time.Sleep(time.Second)
			return h.MemoryStore.Append(ctx, channel, batch)
		}
		p := mustNew(t, Options{Store: h})
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := p.Send(ctx, hello("1"))
		if refusal := (*Refusal)(nil); !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &refusal) {
			t.Errorf("got %v, want that nobody knows", err)
		}
		m := mustSend(t, p, hello("1"))
		if stored := h.all(t, "7"); len(stored) != 1 || stored[0].ID != m.ID {
			t.Errorf("stored %+v, sent again as %d", stored, m.ID)
		}
	})
}

func TestClose(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		h.append = func(ctx context.Context, channel string, batch []Message) error {
			time.Sleep(time.Second)
			return h.MemoryStore.Append(ctx, channel, batch)
		}
		p := mustNew(t, Options{Store: h})
		var sent sync.WaitGroup
		for range 3 {
			sent.Go(func() { mustSend(t, p, hello("")) })
		}
		synctest.Wait()
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		sent.Wait()
		if n := len(h.all(t, "7")); n != 3 {
			t.Errorf("%d are stored", n)
		}
		if _, err := p.Send(t.Context(), hello("")); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestCloseInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		h.append = func(ctx context.Context, _ string, _ []Message) error { <-ctx.Done(); return ctx.Err() }
		p := mustNew(t, Options{Store: h})
		var sent sync.WaitGroup
		for range 3 {
			sent.Go(func() {
				_, err := p.Send(t.Context(), hello(""))
				wantRefusal(t, err, CodeUnavailable)
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := p.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		sent.Wait()
	})
}

func TestWhatFailsAfterwards(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		var mu sync.Mutex
		var told []string
		p := mustNew(t, Options{
			Store: h, Index: failingIndex{},
			Deliver: func(context.Context, string, []Message) error { panic("nobody is there") },
			OnError: func(s Stage, batch []Message, err error) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, fmt.Sprintf("%v %d %v", s, len(batch), err))
			},
		})
		mustSend(t, p, hello(""))
		want := []string{"index 1 no index", "deliver 1 message: it panicked: nobody is there"}
		if !slices.Equal(told, want) {
			t.Errorf("got  %q\nwant %q", told, want)
		}
		if s := p.Stats().Stages; s["index"].Failed != 1 || s["deliver"].Failed != 1 || s["store"].Failed != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

type failingIndex struct{}

func (failingIndex) Add(context.Context, []Message) error        { return errors.New("no index") }
func (failingIndex) Remove(context.Context, string, ...ID) error { return errors.New("no index") }
func (failingIndex) Search(context.Context, Search) ([]Hit, error) {
	return nil, errors.New("no index")
}
