package messagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Store tests a store. open returns an empty one for each case.
func Store(t *testing.T, open func(t testing.TB) message.Store) {
	runKit(t, "store", storeCases, open)
}

var storeCases = []check[message.Store]{
	{"AppendKeepsEverything", "Append keeps new messages of one channel: all of their fields.", appendKeepsEverything},
	{"AppendTexts", "Append keeps all of their fields: whatever text it is.", appendTexts},
	{"AppendLarge", "Append keeps all of their fields: as large as message.Rules lets them be.", appendLarge},
	{"AppendKeepsChannelsApart", "Append keeps messages of one channel, whatever its name is.", appendKeepsChannelsApart},
	{"AppendAgain", "A message whose id is already there, in that channel, is left as it is and is no error.", appendAgain},
	{"AppendAgainAfterEdit", "It is left as it is also after it was edited.", appendAgainAfterEdit},
	{"AppendAgainMixed", "So a batch can be tried again: what is new in it is stored.", appendAgainMixed},
	{"AppendDeleted", "An id that was deleted may come back: it is no error.", appendDeleted},
	{"AppendEmpty", "A batch may be empty.", appendEmpty},
	{"AppendLong", "A batch is of any length.", appendLong},
	{"AppendOlder", "Page returns messages in the order of their ids: not in that in which they were stored.", appendOlder},
	{"AppendLeavesBatch", "Messages that are handed over are not changed by anybody afterwards.", appendLeavesBatch},
	{"PageNewest", "A page without an id is of the newest.", pageNewest},
	{"PageBefore", "A page with Before is of the newest of those with lower ids.", pageBefore},
	{"PageAfter", "A page with After is of the oldest of those with higher ids.", pageAfter},
	{"PageAround", "A page with Around is of that message, if it is there, and half of the others from before and half from after it, or more from one side when the other has too few; of an even Limit, one more comes from before.", pageAround},
	{"PageMost", "A page is of at most Limit messages, which may be MaxPage.", pageMost},
	{"PageOverTime", "A page is of a channel's messages, however far apart they are.", pageOverTime},
	{"PageExtremes", "A page is of a channel's messages, whatever their ids are: 1 to 2^63-1.", pageExtremes},
	{"PageEmpty", "A channel without messages is empty and no error.", pageEmpty},
	{"PageQuery", "Page returns ErrQuery for a query that makes no sense.", pageQuery},
	{"PageIsTheCallers", "Messages that are returned are not changed by anybody afterwards.", pageIsTheCallers},
	{"EditReplaces", "Edit replaces Content, Data and Edited of a message.", editReplaces},
	{"EditKeepsTheRest", "What else m has changes nothing.", editKeepsTheRest},
	{"EditUnknown", "Edit returns ErrNotFound if m.Channel has no m.ID, and it is not there afterwards either.", editUnknown},
	{"EditDeleted", "A message that was deleted is not there after an Edit either.", editDeleted},
	{"EditWhileDeleted", "A message that is deleted while it is edited is not there afterwards.", editWhileDeleted},
	{"DeleteForgets", "Delete forgets messages of a channel.", deleteForgets},
	{"DeleteReturns", "Delete returns the ids of those that were there, in order.", deleteReturns},
	{"DeleteTwice", "An id given twice is deleted once.", deleteTwice},
	{"DeleteUnknown", "Unknown ids are no error.", deleteUnknown},
	{"DeleteMany", "Delete forgets messages, however many.", deleteMany},
	{"DeleteOnce", "Of several callers, one gets an id.", deleteOnce},
	{"Concurrent", "An implementation is safe for concurrent use.", storeConcurrent},
	{"Context", "Each method returns an error that wraps ctx.Err() when ctx has ended.", storeContext},
}

// page returns the ids of a page as numbers.
func page(ctx context.Context, s message.Store, channel string, q message.Query) (string, error) {
	messages, err := s.Page(ctx, channel, q)
	return numbers(idsOf(messages)), during("Page", err)
}

// holds reports what a channel has, if it is not what it should have.
func holds(ctx context.Context, s message.Store, channel string, want ...message.Message) error {
	got, err := s.Page(ctx, channel, message.Query{Limit: message.MaxPage})
	if err != nil {
		return during("Page", err)
	}
	return during(fmt.Sprintf("channel %q", channel), allSame(got, want))
}

// filled appends messages by their numbers, first to last, of a channel.
func filled(ctx context.Context, s message.Store, channel string, first, last int) error {
	return during("Append", s.Append(ctx, channel, batch(channel, first, last)))
}

func storeContext(ctx context.Context, s message.Store) error {
	err := filled(ctx, s, "7", 1, 3)
	for want, ctx := range over(ctx) {
		_, e1 := s.Page(ctx, "7", message.Query{Limit: 1})
		_, e2 := s.Delete(ctx, "7", id(1))
		err = errors.Join(err, wanted("Page", e1, want), wanted("Delete", e2, want),
			wanted("Append", s.Append(ctx, "7", batch("7", 4, 4)), want),
			wanted("Edit", s.Edit(ctx, said("7", 2)), want))
	}
	return err
}
