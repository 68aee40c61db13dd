package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// statements are those that are run for every message or page: SQLite need not read them again.
type statements struct {
	insert, number, words *sql.Stmt // of the connection that writes
	page, kept, search    *sql.Stmt
}

const (
	insertMessage = `INSERT INTO gatehouse_messages (channel, id, author, content, data, nonce, edited)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel, id) DO NOTHING`

	// The number that a message has, or gets.
	numberOf = `INSERT INTO gatehouse_indexed (number, id, channel, author)
		VALUES (CASE WHEN EXISTS (SELECT 1 FROM gatehouse_indexed WHERE number = ?1)
			THEN (SELECT min(min(number), 0) - 1 FROM gatehouse_indexed) ELSE ?1 END, ?1, ?2, ?3)
		ON CONFLICT (channel, id) DO UPDATE SET author = excluded.author RETURNING number`

	putWords = `INSERT OR REPLACE INTO gatehouse_words (rowid, words) VALUES (?, ?)`

	pageOf = `SELECT id, author, content, data, nonce, edited FROM
			(SELECT * FROM gatehouse_messages WHERE channel = ?1 AND id <= ?2 ORDER BY id DESC LIMIT ?3)
		UNION ALL SELECT id, author, content, data, nonce, edited FROM
			(SELECT * FROM gatehouse_messages WHERE channel = ?1 AND id > ?4 ORDER BY id LIMIT ?5)`

	isKept = `SELECT EXISTS (SELECT 1 FROM gatehouse_indexed JOIN gatehouse_messages USING (channel, id) WHERE channel = ? AND id = ?)`

	// Those whose number is their id come in order; the others, if there are any, are sorted.
	// CROSS JOIN has SQLite begin with the words.
	searchWords = `SELECT channel, id FROM (SELECT channel, id FROM gatehouse_words CROSS JOIN gatehouse_indexed ON number = gatehouse_words.rowid
			WHERE gatehouse_words MATCH ?1 AND gatehouse_words.rowid <= ?2 AND gatehouse_words.rowid > ?3 AND ` + filters + `
			ORDER BY gatehouse_words.rowid DESC LIMIT ?7)
		UNION ALL SELECT channel, id FROM (SELECT channel, id FROM gatehouse_words CROSS JOIN gatehouse_indexed ON number = gatehouse_words.rowid
			WHERE gatehouse_words MATCH ?1 AND gatehouse_words.rowid < 0 AND id <= ?2 AND id > ?3 AND ` + filters + `)
		ORDER BY id DESC LIMIT ?7`
	filters = `(?4 OR channel IN (SELECT value FROM json_each(?5))) AND (?6 = '' OR author = ?6)`
)

func (s *Store) prepareStatements(ctx context.Context) error {
	var failed error
	prepare := func(db *sql.DB, text string) *sql.Stmt {
		stmt, err := db.PrepareContext(ctx, text)
		failed = errors.Join(failed, err)
		return stmt
	}
	s.statements = statements{
		insert: prepare(s.write, insertMessage), number: prepare(s.write, numberOf), words: prepare(s.write, putWords),
		page: prepare(s.read, pageOf), kept: prepare(s.read, isKept), search: prepare(s.read, searchWords),
	}
	return failed
}
