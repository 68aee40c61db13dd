package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Messages go the way of package message: limited, validated, queued if there is
// a queue, given an id, stored, indexed and told to everybody, in this order.

// keepNonces is for how long sending a message again with its nonce is harmless.
const keepNonces = 24 * time.Hour

func (s *Server) openPipeline() (err error) {
	s.ids = message.NewIDs(0)
	s.sending, err = message.New(message.Options{
		Limit:       s.limit,
		Validate:    s.validate,
		Queue:       s.opts.Queue,
		Store:       s.store,
		Index:       s.index,
		Deliver:     s.deliver,
		IDs:         s.ids,
		NonceWindow: keepNonces,
	})
	return err
}

type sendMessage struct {
	ChannelID id              `json:"channel_id"`
	Content   string          `json:"content"`
	Nonce     json.RawMessage `json:"nonce"`             // comes back with the event
	Reply     *reference      `json:"message_reference"` // nil: it answers nothing

	// EnforceNonce makes sending again harmless: a nonce that its author has used
	// in the channel of late stands for the message that was sent with it.
	EnforceNonce bool `json:"enforce_nonce"`

	Attachments []attachment `json:"attachments"`
	uploads     []upload     // that came in the same form
}

// extra is what the chat keeps with a message beside its text.
type extra struct {
	Reply id              `json:"reply,omitempty"` // the message that it answers
	Nonce json.RawMessage `json:"nonce,omitempty"` // one that was not to be enforced
	Files []file          `json:"files,omitempty"`
}

// maxNonce is how many bytes of JSON a nonce may have; a longer one is ignored.
const maxNonce = 64

// send keeps a message and tells everybody. It returns when the message is stored.
func (s *Server) send(ctx context.Context, me id, in sendMessage) (object, error) {
	if len(in.Nonce) > maxNonce || string(in.Nonce) == "null" {
		in.Nonce = nil
	}
	m := message.Message{Channel: in.ChannelID.String(), Author: me.String(), Content: in.Content}
	var with extra
	if in.EnforceNonce {
		m.Nonce = string(in.Nonce)
	} else {
		with.Nonce = in.Nonce
	}
	if in.Reply != nil {
		reply, err := s.checkReference(ctx, in.ChannelID, *in.Reply)
		if err != nil {
			return nil, err
		}
		if reply != nil {
			with.Reply = reply.MessageID
		}
	}
	var err error
	if with.Files, err = s.attach(ctx, in); err != nil {
		return nil, err
	}
	m.Data = with.data()
	if m, err = s.sending.SendAndWait(ctx, m); err != nil {
		return nil, notSent(err)
	}
	if in.EnforceNonce && len(in.Nonce) > 0 { // it may have been sent before, and been deleted since
		if m, err = s.message(ctx, in.ChannelID, id(m.ID)); err != nil {
			return nil, err
		}
	}
	told, err := s.told(ctx, m)
	if err != nil {
		return nil, err
	}
	return told[0], nil
}

// notSent is what a refusal of the pipeline's means to who sent the message.
func notSent(err error) error {
	why, refused := errors.AsType[*message.Refusal](err)
	switch {
	case refused && why.Code == message.CodeLimited:
		return &limited{why.RetryAfter}
	case refused && why.Code != message.CodeBusy && why.Code != message.CodeUnavailable:
		return err // of validate's own
	}
	slog.Error("a message was not stored, or not yet", "error", err)
	return unavailable
}

// validate says whether a message may be sent.
func (s *Server) validate(ctx context.Context, m *message.Message) (err error) {
	if m.Content, err = checkContent(m.Content, extraOf(*m).Files); err != nil {
		return err
	}
	return s.checkChannel(ctx, snowflake(m.Channel))
}

// deliver tells everybody.
func (s *Server) deliver(ctx context.Context, _ string, batch []message.Message) error {
	told, err := s.told(ctx, batch...)
	if err != nil {
		return err
	}
	for _, o := range told {
		err = errors.Join(err, s.publish(ctx, "MESSAGE_CREATE", gateway.IntentGuildMessages, o))
	}
	return err
}

// told is what everybody is told of new messages: their nonces, too.
func (s *Server) told(ctx context.Context, batch ...message.Message) ([]object, error) {
	objects, err := s.describe(ctx, batch)
	if err != nil {
		return nil, err
	}
	for i, m := range batch {
		addNonce(objects[i], m)
	}
	return objects, nil
}

// addNonce puts into a message the nonce that it was sent with. One that it was
// given for the queue is no JSON.
func addNonce(o object, m message.Message) {
	if nonce := extraOf(m).Nonce; len(nonce) > 0 {
		o["nonce"] = nonce
	} else if nonce := []byte(m.Nonce); json.Valid(nonce) {
		o["nonce"] = json.RawMessage(nonce)
	}
}

// data is the extra as a message's Data; nil if it has nothing.
func (e extra) data() []byte {
	if e.Reply == 0 && e.Nonce == nil && e.Files == nil {
		return nil
	}
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // ids and names, and JSON that has been read
	}
	return data
}

func extraOf(m message.Message) (e extra) {
	if len(m.Data) > 0 && json.Unmarshal(m.Data, &e) != nil {
		return extra{} // not ours
	}
	return e
}
