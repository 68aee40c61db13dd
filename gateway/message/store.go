package message

import (
	"cmp"
	"context"
	"slices"
)

// Store keeps messages. An implementation is safe for concurrent use, also by several
// processes that share it; messagetest.Store proves one of your own.
//
// Each method returns an error that wraps ctx.Err() when ctx has ended. After this, and after
// any other error that is not named here, it may or may not have done its work. What a method
// has done is done for every later call, and is still when the process, or the server behind
// it, is killed. Messages that are handed over or returned are not changed by anybody afterwards.
type Store interface {
	// Append keeps new messages of one channel: all of their fields. It returns nil when
	// all are stored, and a [BatchError] when some were and the others cannot be. A
	// message whose id is already there, in that channel, is left as it is and is no
	// error, also after it was edited: so a batch can be tried again. An id that was
	// deleted may come back. A batch may be empty, and is of any length.
	Append(ctx context.Context, channel string, batch []Message) error

	// Page returns messages of a channel in the order of their ids, as q asks. A channel
	// without messages is empty and no error.
	Page(ctx context.Context, channel string, q Query) ([]Message, error)

	// Edit replaces Content, Data and Edited of a message by those of m; what else m has
	// changes nothing. The error is ErrNotFound if m.Channel has no m.ID, and it is not
	// there afterwards either.
	Edit(ctx context.Context, m Message) error

	// Delete forgets messages of a channel and returns the ids of those that were there,
	// in order. Of several callers, one gets an id. Unknown ids are no error; an id given
	// twice is deleted once.
	Delete(ctx context.Context, channel string, ids ...ID) ([]ID, error)
}

// Query says which messages of a channel a page is of: at most Limit, and
//
//   - without an id, the newest;
//   - with Before, the newest of those with lower ids;
//   - with After, the oldest of those with higher ids;
//   - with Around, that message, if it is there, and half of the others from before and half
//     from after it, or more from one side when the other has too few. Of an even Limit, one
//     more comes from before.
type Query struct {
	Before, After, Around ID  // at most one of them
	Limit                 int // 1 to MaxPage
}

// MaxPage is the most messages of a page.
const MaxPage = 1000

// Check returns ErrQuery for a query that makes no sense: stores call it first.
func (q Query) Check() error {
	set := 0
	for _, id := range []ID{q.Before, q.After, q.Around} {
		if id != 0 {
			set++
		}
	}
	if set > 1 || q.Limit < 1 || q.Limit > MaxPage {
		return ErrQuery
	}
	return nil
}

// Of returns the part of some messages, which are in the order of their ids, that the query asks
// for. A store that has found Limit messages up to Around, and Limit behind it, needs no more to
// answer.
func (q Query) Of(messages []Message) []Message {
	end := len(messages)
	switch {
	case q.After != 0:
		from, _ := find(messages, q.After+1)
		return messages[from:min(from+q.Limit, end)]
	case q.Before != 0:
		end, _ = find(messages, q.Before)
	case q.Around != 0:
		i, there := find(messages, q.Around)
		if there {
			i++
		}
		after := q.Limit / 2
		if there {
			after = (q.Limit - 1) / 2
		}
		end = max(min(i+after, end), min(q.Limit, end))
	}
	return messages[max(0, end-q.Limit):end]
}

// find returns where an id is among messages in the order of ids, or where it would be.
func find(messages []Message, id ID) (int, bool) {
	return slices.BinarySearchFunc(messages, id, func(m Message, id ID) int { return cmp.Compare(m.ID, id) })
}
