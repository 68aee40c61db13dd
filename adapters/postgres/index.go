package postgres

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/jackc/pgx/v5"
)

// Index finds messages of a [Store], and is a message.Index. What is added is found when Add
// returns. It is safe for concurrent use.
type Index struct{ store *Store }

// Index returns the index in the store's database, which uses its connections and is closed
// with it. It knows what is added to it, not what the store has.
func (s *Store) Index() *Index { return &Index{s} }

// The channel is a word that no text has, for # is no letter. Nothing is written where nothing differs.
const addWords = `INSERT INTO gatehouse_words AS old (channel, id, author, words)
	SELECT DISTINCT ON (channel, id) channel, id, author, array_to_tsvector(string_to_array(words, ' ') || ('#' || channel))
	FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS m (channel, id, author, words, place)
	ORDER BY channel, id, place DESC
	ON CONFLICT (channel, id) DO UPDATE SET author = excluded.author, words = excluded.words
	WHERE (old.author, old.words) IS DISTINCT FROM (excluded.author, excluded.words)`

// Add is of message.Index. A message that cannot be kept, for it has a NUL in the name of its channel,
// say, is in a message.BatchError; the others are found.
func (x *Index) Add(ctx context.Context, batch []message.Message) error {
	return tryAll(ctx, "index", batch, func(part []message.Message) error { return x.add(ctx, part) })
}

func (x *Index) add(ctx context.Context, batch []message.Message) error {
	n := len(batch)
	channels, ids, authors, words := make([]string, n), make([]int64, n), make([]string, n), make([]string, n)
	for i, m := range batch {
		if m.ID > math.MaxInt64 {
			return errID
		}
		channels[i], ids[i], authors[i], words[i] = m.Channel, int64(m.ID), m.Author, wordsOf(m)
	}
	return x.store.housed(ctx, batch, func() error {
		return retry(ctx, func() error {
			_, err := x.store.pool.Exec(ctx, addWords, channels, ids, authors, words)
			return err
		})
	})
}

// maxWords is how many bytes a tsvector can have.
const maxWords = 1<<20 - 1

// wordsOf are the words of a message, with spaces between, as many as there is room for beside the channel.
func wordsOf(m message.Message) string {
	words := strings.Join(message.Words(m.Content), " ")
	if room := maxWords - len(m.Channel) - 1; len(words) > room {
		words = words[:max(0, strings.LastIndexByte(words[:max(0, room)], ' '))]
	}
	return words
}

// Remove is of message.Index.
func (x *Index) Remove(ctx context.Context, channel string, ids ...message.ID) error {
	_, err := x.store.remove(ctx, "remove", `DELETE FROM gatehouse_words WHERE channel = $1 AND id = ANY($2) RETURNING id`, channel, ids)
	return err
}

const findWords = `SELECT channel, id FROM gatehouse_words
	WHERE words @@ $1::text::tsquery AND id >= $2 AND id <= $3 AND ($4 = '' OR author = $4)
	ORDER BY id DESC LIMIT $5`

// Search is of message.Index.
func (x *Index) Search(ctx context.Context, s message.Search) ([]message.Hit, error) {
	words, err := s.Check()
	if err != nil {
		return nil, err
	}
	query := queryOf(words, s.Channels)
	if err := ctx.Err(); err != nil || query == "" || !text(s.Author) || s.After >= highest {
		return nil, wrap(ctx, "search", err)
	}
	before := highest
	if s.Before != 0 {
		before = min(before, s.Before-1)
	}
	spans := backwards(int64(s.After)+1, int64(before), monthOf(time.Now()))
	hits, err := walk(spans, s.Limit, func(in span, limit int) ([]message.Hit, error) {
		return collect(ctx, x.store.pool, readHit, findWords, query, in.low, in.high, s.Author, limit)
	})
	return hits, wrap(ctx, "search", err)
}

func readHit(row pgx.CollectableRow) (hit message.Hit, err error) {
	var id int64
	err = row.Scan(&hit.Channel, &id)
	hit.ID = message.ID(id)
	return hit, err
}

// queryOf is a tsquery for all of the words in any of the channels; of no channels, in all. It is
// empty when none of the channels can be.
func queryOf(words, channels []string) string {
	terms := make([]string, 0, len(words)+1)
	for _, w := range words {
		terms = append(terms, quote(w))
	}
	var places []string
	for _, c := range channels {
		if text(c) {
			places = append(places, quote("#"+c))
		}
	}
	switch {
	case len(places) > 0:
		terms = append(terms, "("+strings.Join(places, " | ")+")")
	case len(channels) > 0:
		return ""
	}
	return strings.Join(terms, " & ")
}

var quoter = strings.NewReplacer(`\`, `\\`, `'`, `''`)

// quote makes a term of a tsquery of any word.
func quote(word string) string { return "'" + quoter.Replace(word) + "'" }
