package server

import (
	"context"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// lastWithin is how long an action may take to be kept and told.
const lastWithin = 10 * time.Second

// maxPayload is how many bytes a client may send at once: the longest message
// with the names of its files, when each of their characters is written as two \u
// escapes, and what is around them.
const maxPayload = 12*(maxContent+maxFiles*maxFilename) + 4096

// What the page may ask for over the gateway. api.go has what Discord's clients
// may ask for by HTTP; both call the same actions.
func (s *Server) handleCommands() {
	gateway.Handle(s.gw, "SEND_MESSAGE", lasting(s.send))
	gateway.Handle(s.gw, "EDIT_MESSAGE", lasting(s.edit))
	gateway.Handle(s.gw, "DELETE_MESSAGE", lasting(s.remove))
	gateway.Handle(s.gw, "TYPING", lasting(s.typing))
	gateway.Handle(s.gw, "HISTORY", lasting(s.history))
	gateway.Handle(s.gw, "SEARCH", lasting(s.search))
	gateway.Handle(s.gw, "MARK_READ", lasting(s.markRead))
	gateway.Handle(s.gw, "CREATE_CHANNEL", lasting(s.createChannel))
}

// action is something that a user does or asks for.
type action[In any] = func(ctx context.Context, me id, in In) (object, error)

// lasting makes a command of an action, one that goes its way even if the
// client's connection ends meanwhile, so that nothing is kept and told to nobody.
func lasting[In any](run action[In]) func(context.Context, *gateway.Session, In) (object, error) {
	return func(ctx context.Context, session *gateway.Session, in In) (object, error) {
		ctx, cancel := outlive(ctx)
		defer cancel()
		return run(ctx, userID(session), in)
	}
}

// outlive returns a context that does not end with ctx, but lastWithin from now.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastWithin)
}
