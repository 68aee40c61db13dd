package cassandra

import (
	"fmt"
	"strings"
)

// statements are what is asked of Cassandra, in one keyspace. They name it, so that a node that has
// started again knows them still: it remembers prepared statements, but not the keyspace of a session.
type statements struct {
	announce string // that a channel has a bucket
	insert   string // with a timestamp of ours
	absent   string // what is not there
	there    string // which of some ids
	left     string // of the life of a message
	edit     string
	remove   string
	settings string
	settle   string
	upTo     side // an id and older ones, newest first
	behind   side // newer ones than an id, oldest first
}

// side reads a channel in one direction.
type side struct{ buckets, rows string }

func statementsIn(keyspace string) statements {
	in := func(text string) string {
		return strings.ReplaceAll(text, "gatehouse_", fmt.Sprintf("%q.gatehouse_", keyspace))
	}
	const (
		insert = `INSERT INTO gatehouse_messages (channel, bucket, id, author, content, data, nonce, edited) VALUES (?, ?, ?, ?, ?, ?, ?, ?) `
		one    = ` WHERE channel = ? AND bucket = ? AND id = ? `
		rows   = `SELECT id, author, content, data, nonce, edited FROM gatehouse_messages WHERE channel = ? AND bucket = ? AND `
	)
	return statements{
		announce: in(`INSERT INTO gatehouse_buckets (channel, bucket) VALUES (?, ?) USING TTL ?`),
		insert:   in(insert + `USING TIMESTAMP ? AND TTL ?`),
		absent:   in(insert + `IF NOT EXISTS USING TTL ?`),
		there:    in(`SELECT id, author FROM gatehouse_messages WHERE channel = ? AND bucket = ? AND id IN ?`),
		left:     in(`SELECT author, TTL(author) FROM gatehouse_messages` + one),
		edit:     in(`UPDATE gatehouse_messages USING TTL ? SET content = ?, data = ?, edited = ?` + one + `IF EXISTS`),
		remove:   in(`DELETE FROM gatehouse_messages` + one + `IF EXISTS`),
		settings: in(`SELECT version, bucket FROM gatehouse_settings WHERE id = 0`),
		settle:   in(`INSERT INTO gatehouse_settings (id, version, bucket) VALUES (0, ?, ?) IF NOT EXISTS`),
		upTo: side{
			in(`SELECT bucket FROM gatehouse_buckets WHERE channel = ? AND bucket <= ? ORDER BY bucket DESC`),
			in(rows + `id <= ? ORDER BY id DESC`),
		},
		behind: side{
			in(`SELECT bucket FROM gatehouse_buckets WHERE channel = ? AND bucket >= ? ORDER BY bucket ASC`),
			in(rows + `id > ? ORDER BY id ASC`),
		},
	}
}
