package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// troubled is a broker whose feed fails or hangs on demand.
type troubled struct {
	*MemoryBroker
	opening, following error
	hang               atomic.Bool
	closed             atomic.Bool
}

type troubledFeed struct {
	Feed
	b *troubled
}

func (b *troubled) Open(ctx context.Context, deliver func(Record)) (Feed, error) {
	f, _ := b.MemoryBroker.Open(ctx, deliver)
	return &troubledFeed{f, b}, b.opening
}

func (f *troubledFeed) Follow(ctx context.Context, topic string) (Position, error) {
	if f.b.hang.Load() {
		<-ctx.Done()
		return Position{}, ctx.Err()
	}
	if f.b.following != nil {
		return Position{}, f.b.following
	}
	return f.Feed.Follow(ctx, topic)
}

func (f *troubledFeed) Close(ctx context.Context) error {
	f.b.closed.Store(true)
	return f.Feed.Close(ctx)
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	auth := func(context.Context, Identify) (User, error) { return User{}, nil }
	failing := &troubled{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{}), opening: errors.New("no such host")}
	fine := &troubled{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{})}
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"nothing", Options{}, "Authenticate is required"},
		{"a broker that does not open", Options{Authenticate: auth, Broker: failing}, "open the broker: no such host"},
		{"presence", Options{Authenticate: auth, Broker: fine, Presence: presence.Options{Grace: time.Second}}, "Grace must be at least"},
	} {
		if _, err := New(tt.o); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "gateway: ") != 1 {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if !fine.closed.Load() {
		t.Error("a feed is left open when New fails behind it")
	}
}

// A broker that fails or hangs fails Subscribe, within its context, and nothing else.
func TestSubscribeWithATroubledBroker(t *testing.T) {
	b := &troubled{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{}), following: errors.New("broken pipe")}
	got := make(chan *Session, 1)
	g, url := testGateway(t, func(o *Options) {
		o.Broker = b
		o.OnSession = func(s *Session) { got <- s }
	})
	c := login(t, url, "ann")
	s := <-got
	if err := s.Subscribe(t.Context(), "t"); err == nil || !strings.Contains(err.Error(), `subscribe to "t": broken pipe`) {
		t.Errorf("Subscribe: %v", err)
	}
	b.hang.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Subscribe(ctx, "u"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Subscribe: %v", err)
	}
	b.hang.Store(false)
	b.following = nil
	if err := s.Subscribe(t.Context(), "t"); err != nil {
		t.Errorf("Subscribe, when the broker works again: %v", err)
	}
	g.Publish(t.Context(), "t", Event{Type: "E"})
	c.want(0, "E")
	if topics := s.Topics(); fmt.Sprint(topics) != "[t]" {
		t.Errorf("topics are %v", topics)
	}
}

func TestMemoryBroker(t *testing.T) {
	ctx := t.Context()
	b := NewMemoryBroker(MemoryBrokerOptions{})
	var got []string
	open := func(name string) Feed {
		f, err := b.Open(ctx, func(rec Record) { got = append(got, name+" "+rec.Topic) })
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f1, f2 := open("1"), open("2")
	follow := func(f Feed, topic string) {
		if at, err := f.Follow(ctx, topic); err != nil || at.IsZero() {
			t.Fatal(at, err)
		}
	}
	follow(f1, "a")
	follow(f1, "a")
	follow(f2, "a")
	follow(f2, "b")
	publish := func(want string, topics ...string) {
		t.Helper()
		got = nil
		for _, topic := range topics {
			if err := b.Publish(ctx, Record{Topic: topic}); err != nil {
				t.Fatal(err)
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("delivered %v, want %s", got, want)
		}
	}
	publish("[1 a 2 a 2 b]", "a", "b", "c")
	f1.Unfollow(ctx, "a")
	f1.Unfollow(ctx, "never followed")
	publish("[2 a]", "a")
	f2.Close(ctx)
	publish("[]", "a", "b")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Publish(ended, Record{Topic: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Publish with a context that has ended: %v", err)
	}
}

// Two gateways with one broker are one server for their clients.
func TestTwoGatewaysOneBroker(t *testing.T) {
	b := NewMemoryBroker(MemoryBrokerOptions{})
	with := func(o *Options) { subscribeTo("t")(o); o.Broker = b }
	g1, url1 := testGateway(t, with)
	g2, url2 := testGateway(t, with)
	c1, c2 := login(t, url1, "ann"), login(t, url2, "bob")
	for i, g := range []*Gateway{g1, g2, g1} {
		g.Publish(t.Context(), "t", Event{Type: fmt.Sprint("E", i)})
		c1.want(0, fmt.Sprint("E", i))
		c2.want(0, fmt.Sprint("E", i))
	}
}
