package nats

import (
	"context"
	"errors"
	"fmt"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

var (
	// ErrName is returned by each New for a name that is not of letters, digits, "-" and "_": it
	// becomes part of subjects and of the names of streams.
	ErrName = errors.New("nats: a name is of letters, digits, - and _")
	// ErrNoJetStream is returned by each New when the server, or this account, has no JetStream.
	ErrNoJetStream = errors.New("nats: no JetStream: start the server with it (-js), and enable it for the account")
	// ErrPartitions is returned by NewQueue and NewBroker for what was made with another number of
	// partitions.
	ErrPartitions = errors.New("nats: it has another number of partitions")
	// ErrTooNew is returned by each New for what a newer version of this package made.
	ErrTooNew = errors.New("nats: made by a newer version")
	// ErrStream is returned by each New when a stream has its name and is not one that this
	// package made, or was changed since so that it would lose something.
	ErrStream = errors.New("nats: a stream of that name cannot hold it")
	// ErrTopic is returned for a topic of more than 1,000 bytes.
	ErrTopic = errors.New("nats: the topic's name is too long")
	// ErrTooLarge is returned by Publish and Save for what the server does not take (max_payload, 1 MB
	// unless it was set).
	ErrTooLarge = errors.New("nats: too large for the server")
)

var (
	errNoKey  = errors.New("nats: put: an item without a key")
	errLate   = errors.New("nats: acknowledge: too late, another taker may have the items")
	errSilent = errors.New("the server does not answer")
	errLost   = errors.New("another taker may have the partition")
)

// wrap says what failed.
func wrap(what string, err error) error {
	if err == nil || errors.Is(err, message.ErrClosed) || errors.Is(err, gateway.ErrClosed) || errors.Is(err, errLate) || errors.Is(err, errNoKey) {
		return err
	}
	return fmt.Errorf("nats: %s: %w", what, err)
}

// notOpened is what a New returns for what it could not open. When the server has not answered, it says what the connection
// was told last: that the password is wrong, say, or what this user may not send.
func notOpened(conn *natsgo.Conn, what, name string, err error) error {
	told := conn.LastError()
	silent := errors.Is(err, errSilent) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, natsgo.ErrConnectionClosed)
	if silent && told != nil && !errors.Is(err, told) {
		err = fmt.Errorf("%w; the connection was told: %w", err, told)
	}
	return fmt.Errorf("nats: open %s %q: %w", what, name, err)
}

// What a server says, of its errors.json. The client has no names for these.
const (
	codeAccountFull   jetstream.ErrorCode = 10002 // the account's storage
	codeServerFull    jetstream.ErrorCode = 10023 // the server's
	codeStreamFull    jetstream.ErrorCode = 10077 // the stream's own limits
	codeNotUnique     jetstream.ErrorCode = 10100 // another consumer has that subject of a work queue
	codeWrongSequence jetstream.ErrorCode = 10164 // as JSErrCodeStreamWrongLastSequence, of some servers
)

// code is what the server said, or 0.
func code(err error) jetstream.ErrorCode {
	if said := (jetstream.JetStreamError)(nil); errors.As(err, &said) && said.APIError() != nil {
		return said.APIError().ErrorCode
	}
	return 0
}

// full reports whether there is no room for a message.
func full(err error) bool {
	c := code(err)
	return c == codeAccountFull || c == codeServerFull || c == codeStreamFull
}

// outdated reports whether somebody else has written what was to be replaced.
func outdated(err error) bool {
	c := code(err)
	return c == jetstream.JSErrCodeStreamWrongLastSequence || c == codeWrongSequence
}

// disabled reports whether there is no JetStream to talk to.
func disabled(err error) bool {
	return errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) || errors.Is(err, natsgo.ErrNoResponders)
}
