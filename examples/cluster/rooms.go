package main

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// rooms is how many topics there are; each client is in three of them.
const rooms = 6

func room(i int) string { return fmt.Sprintf("room:%d", i%rooms) }

// alone begins the names of users who are in one room alone, which their name ends with.
const alone = "client-in-"

// roomsOf are the topics of a user.
func roomsOf(user string) []string {
	if name, ok := strings.CutPrefix(user, alone); ok {
		return []string{name}
	}
	h := fnv.New32a()
	h.Write([]byte(user))
	first := int(h.Sum32() % rooms)
	return []string{room(first), room(first + 1), room(first + 3)}
}
