package main

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// speaking is what happens to what somebody says, in the gateway: the first half of a
// message.Pipeline, of which messages has the second.
type speaking struct{ pipeline *message.Pipeline }

func newSpeaking(said queue) (*speaking, error) {
	limiter, rate := gateway.NewMemoryLimiter(), gateway.Rate{Burst: 100, Per: 5 * time.Second}
	p, err := message.New(message.Options{
		Limit: func(ctx context.Context, m message.Message) (time.Duration, error) {
			return limiter.Take(ctx, m.Author, rate, 1)
		},
		Queue: said,
		Store: message.NewMemoryStore(), // a pipeline that only puts into its queue never uses it
	})
	if err != nil {
		return nil, err
	}
	return &speaking{p}, nil
}

// saying is what a client sends with SEND.
type saying struct {
	Content string `json:"content"`
	Nonce   string `json:"nonce"` // sent again under it, it is one message
}

// send answers when the queue has the message: then nothing loses it.
func (s *speaking) send(ctx context.Context, from *gateway.Session, in saying) (saying, error) {
	m, err := s.pipeline.Send(ctx, message.Message{Channel: channel, Author: from.User().ID, Content: in.Content, Nonce: in.Nonce})
	if refusal, ok := errors.AsType[*message.Refusal](err); ok {
		return saying{}, &gateway.CommandError{Code: refusal.Code, Message: refusal.Message, RetryAfter: int(refusal.RetryAfter.Milliseconds())}
	}
	if err != nil {
		return saying{}, &gateway.CommandError{Code: "UNAVAILABLE", Message: "it may be sent or not: send it again with its nonce", RetryAfter: 1000}
	}
	return saying{m.Content, m.Nonce}, nil
}
