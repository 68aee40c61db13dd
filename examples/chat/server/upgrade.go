package server

// upgrade takes over what files of before messages had nonces and data of their
// own keep in other tables. In other files it finds nothing.
var upgrade = []string{
	// Nobody has read anything yet: all is read, or everything would be new.
	`INSERT OR IGNORE INTO chat_read (user, channel, message)
		SELECT u.id, c.id, (SELECT max(id) FROM gatehouse_messages WHERE channel = CAST(c.id AS TEXT)) AS last FROM chat_users u, chat_channels c
		WHERE EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'chat_nonces') AND last NOT NULL`,

	`CREATE TABLE IF NOT EXISTS chat_nonces (author INTEGER, nonce TEXT, message INTEGER)`,
	`UPDATE gatehouse_messages SET nonce = n.nonce FROM chat_nonces n WHERE n.message = id AND EXISTS (SELECT 1 FROM chat_nonces)`,
	`DROP TABLE chat_nonces`,

	`CREATE TABLE IF NOT EXISTS chat_replies (message INTEGER, target INTEGER)`,
	`UPDATE gatehouse_messages SET data = CAST(json_object('reply', CAST(r.target AS TEXT)) AS BLOB) FROM chat_replies r WHERE r.message = id AND EXISTS (SELECT 1 FROM chat_replies)`,
	`DROP TABLE chat_replies`,
}
