package message

import "context"

// Index finds messages by their words. An implementation is safe for concurrent use, also by
// several processes that share it; messagetest.Index proves one of your own. What is said of
// contexts, errors and ownership at [Store] holds here too.
//
// The words of a text are what [Words] gives, here and in a Search.
type Index interface {
	// Add has messages found by the words of their Content, within a second at most. A
	// message that is there already is replaced: so one that was edited is added again.
	Add(ctx context.Context, batch []Message) error

	// Remove has messages of a channel found no more. Unknown ids are no error.
	Remove(ctx context.Context, channel string, ids ...ID) error

	// Search returns what it finds, newest first.
	Search(ctx context.Context, s Search) ([]Hit, error)
}

// Search says what is looked for: the messages that have all of the words of Text, and that are
// in one of the Channels, of the Author, and between the ids, as far as these are given.
type Search struct {
	Text          string   // with at least one word
	Channels      []string // empty: all
	Author        string   // empty: anybody
	Before, After ID       // 0: no bound. The next page is Before the last id of this one.
	Limit         int      // 1 to MaxHits
}

// MaxHits is the most that one Search returns.
const MaxHits = 100

// Check returns ErrQuery for a search that makes no sense, and else its words: indexes call it
// first.
func (s Search) Check() (words []string, err error) {
	words = Words(s.Text)
	if len(words) == 0 || s.Limit < 1 || s.Limit > MaxHits {
		return nil, ErrQuery
	}
	return words, nil
}

// Hit is where a message is.
type Hit struct {
	Channel string
	ID      ID
}
