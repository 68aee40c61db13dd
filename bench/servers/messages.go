package servers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatehouse-go/gatehouse/bench/messages"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// talked is a gateway whose clients talk, through a pipeline: each is subscribed to one
// channel. Only the limits are off, since a few clients say what many would.
type talked struct {
	gw       *gateway.Gateway
	pipeline *messages.Served
	stages   *messages.Stages
}

func newMessages(name string, o Options) (Server, error) {
	config, err := messages.Parse(name)
	if err != nil {
		return nil, err
	}
	limits := unlimited
	limits.Payloads = -1
	t := &talked{stages: new(messages.Stages)}
	t.gw, err = gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			n, err := strconv.Atoi(strings.TrimPrefix(s.User().ID, "user-"))
			if err != nil {
				return nil, err
			}
			return nil, s.Subscribe(ctx, "channel:"+messages.ChannelOf(n))
		},
		Workers: o.Workers,
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
		Limits:  limits,
	})
	if err != nil {
		return nil, err
	}
	t.pipeline, err = messages.Serve(context.Background(), config, t.stages, message.To(t.gw, func(m message.Message) (string, gateway.Event) {
		return "channel:" + m.Channel, gateway.Event{Type: "MESSAGE_CREATE", Data: m, Intent: gateway.IntentGuildMessages}
	}))
	if err != nil {
		return nil, err
	}
	type say struct{ Channel, Content, Nonce string }
	gateway.Handle(t.gw, "SEND_MESSAGE", func(ctx context.Context, s *gateway.Session, in say) (message.ID, error) {
		m, err := t.pipeline.Send(ctx, message.Message{Channel: in.Channel, Author: s.User().ID, Content: in.Content, Nonce: in.Nonce})
		if refusal := (*message.Refusal)(nil); errors.As(err, &refusal) {
			err = &gateway.CommandError{Code: refusal.Code, Message: refusal.Message, RetryAfter: int(refusal.RetryAfter.Milliseconds())}
		}
		return m.ID, err
	})
	return t, nil
}

func (t *talked) Serve(ln net.Listener) error { return http.Serve(ln, t.gw) }

// Publish does nothing: clients talk.
func (t *talked) Publish([]byte) {}

func (t *talked) Close() error { return t.pipeline.Close() }
