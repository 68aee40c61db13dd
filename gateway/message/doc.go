// Package message is the way of a message from who says it to all who read it: it is limited,
// validated, given an id, gathered with others of its channel, stored, indexed, delivered and
// acknowledged, in that order. A [Pipeline] does that with parts that the application chooses;
// each can be replaced, left out, and is measured.
//
//	p, err := message.New(message.Options{
//		Store: message.NewMemoryStore(), // or one of adapters/…, or your own: four methods
//		Deliver: message.To(gw, func(m message.Message) (string, gateway.Event) {
//			return "channel:" + m.Channel, gateway.Event{Type: "MESSAGE_CREATE", Data: m, ID: m.ID.String()}
//		}),
//	})
//	…
//	m, err := p.Send(ctx, message.Message{Channel: "7", Author: "42", Content: "hello", Nonce: "1"})
//	var refusal *message.Refusal
//	switch {
//	case err == nil: // stored, and on its way
//	case errors.As(err, &refusal): // not taken: tell the sender why, and when to come back
//	default: // unknown: sent again with the same nonce, it is one message
//	}
//
// It imports no gateway: To takes anything with a Publish method.
//
// # Guarantees
//
//   - Acknowledged is stored: when Send returned nil, the message is in the Store, or with
//     Options.Queue in the Queue, whoever is killed. What was not stored is never delivered.
//   - A message that is not taken is told to its sender, by a [Refusal]; with RetryAfter where
//     it may come back. Send never waits in a line that is full.
//   - Sent again with its nonce within Options.NonceWindow, a message is stored once, also after
//     a restart and when the first answer was lost. Where it cannot be known that it was
//     delivered, it is delivered again, maybe behind later ones: a broker that is told its id lets it
//     through once as long as it knows it, and readers know it by its id too.
//   - Where one node owns a channel (Options.Owner, or there is only one), ids grow in the order
//     in which messages are stored and delivered, for every reader, over restarts and changes of
//     the owner.
//   - A batch of which the store takes a part: each sender hears of its own message.
//
// # Without an owner
//
// When two nodes store messages of one channel at a time, ids are still unique, and pages of the
// Store are in their order; but a message may be delivered, or appear in a page, behind one with a
// higher id, by as much as the clocks of the nodes differ and a batch takes. A nonce that comes to
// both within a batch's time may become two messages.
//
// # Stores of stores
//
// Three stores are made of others, and of each other: a [Cache] reads each page once for all who
// want it and remembers it; a [Sharded] spreads channels over several stores and moves them
// while they are used; a [Replicated] reads from copies. Where all three are wanted, the cache
// is outermost, and a sharded store has replicated ones. A pipeline asks past copies for what
// it must know, see [WithStaleness].
//
// # Goroutines and locks
//
// A pipeline has the goroutines of its batches, and Consume one for each channel of what it has taken,
// for which it waits. A Cache has one for each read of its store, for which Close waits, and a timer for
// each write that failed. Sharded and Replicated have none. No lock is held while a store, a replica
// or the application is called; a channel's turn of a Sharded, which is waited for within a
// context, is.
//
// # Non-goals
//
// Permissions, what a message means, who its readers are. Edits and deletions go straight to the
// Store ([Pipeline.Edit], [Pipeline.Delete]): they are not ordered against new messages.
package message
