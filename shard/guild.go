package shard

import "fmt"

// ForGuild returns which of a bot's n shards receives the events of a guild, as
// Discord defines it: (id >> 22) % n. The low 22 bits of a snowflake are worker,
// process and increment; what is left is the millisecond in which the guild was
// created. Events that belong to no guild go to shard 0.
//
// It is a wire rule, not a placement: when n changes, nearly every guild changes
// its shard, so a client with another n is a different client. It panics if n is
// below 1; check the numbers of an Identify before.
func ForGuild(id uint64, n int) int {
	if n < 1 {
		panic(fmt.Sprintf("shard: ForGuild among %d shards", n))
	}
	return int((id >> 22) % uint64(n))
}
