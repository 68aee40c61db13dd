package postgres

import (
	"context"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// maxStatement is how many bytes of messages go into one statement, if it is not one message alone.
const maxStatement = 8 << 20

// tryAll does something with a batch, in as few statements as it takes to have all of it done
// but what the server refuses. It returns a message.BatchError of those.
func tryAll(ctx context.Context, what string, batch []message.Message, do func([]message.Message) error) error {
	if err := ctx.Err(); err != nil {
		return wrap(ctx, what, err)
	}
	refusals := make(message.BatchError)
	if err := tryPart(batch, 0, refusals, do); err != nil {
		return wrap(ctx, what, err)
	}
	if len(refusals) > 0 {
		return refusals
	}
	return nil
}

// tryPart does it with the part of a batch that begins at a place, halving it where it is refused.
func tryPart(part []message.Message, at int, refusals message.BatchError, do func([]message.Message) error) error {
	if len(part) == 0 {
		return nil
	}
	if len(part) == 1 || sizeOf(part) <= maxStatement {
		err := do(part)
		if !refused(err) {
			return err
		}
		if len(part) == 1 {
			refusals[at] = fmt.Errorf("postgres: %w", err)
			return nil
		}
	}
	half := len(part) / 2
	if err := tryPart(part[:half], at, refusals, do); err != nil {
		return err
	}
	return tryPart(part[half:], at+half, refusals, do)
}

func sizeOf(batch []message.Message) (n int) {
	for _, m := range batch {
		n += len(m.Author) + len(m.Content) + len(m.Data) + len(m.Nonce) + 64
	}
	return n
}
