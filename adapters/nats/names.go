package nats

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// What a queue has on the server, by its name:
//
//	gatehouse-queue-NAME            work-queue stream: the items that are not acknowledged
//	gatehouse-side-NAME             stream, one message a subject: what else is kept
//	gatehouse.queue.NAME.item.3     subject: the items of partition 3
//	gatehouse.queue.NAME.tries.3    subject: how often those were taken
//	gatehouse.queue.NAME.dead.712   subject: the item that was message 712, and is dead
//	gatehouse.queue.NAME.crew       subject, of no stream: what takers tell each other
//	3-TEXT                          consumer: whose taker has partition 3; TEXT is new each time
const (
	itemsPrefix   = "gatehouse-queue-"
	sidePrefix    = "gatehouse-side-"
	subjectPrefix = "gatehouse.queue."
)

func validName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

func (q *Queue) itemsName() string { return itemsPrefix + q.name }
func (q *Queue) sideName() string  { return sidePrefix + q.name }

func (q *Queue) subject(what string, number any) string {
	return fmt.Sprint(subjectPrefix, q.name, ".", what, ".", number)
}

func (q *Queue) crewSubject() string { return subjectPrefix + q.name + ".crew" }

// partitionOf must give the same for ever: FNV-1a of the key.
func (q *Queue) partitionOf(key string) int {
	h := fnv.New64a()
	h.Write([]byte(key))
	return int(h.Sum64() % uint64(q.partitions))
}

func consumerName(partition int, text string) string { return strconv.Itoa(partition) + "-" + text }

// partitionOfConsumer is the partition that a consumer has, or -1.
func partitionOfConsumer(name string) int {
	number, _, _ := strings.Cut(name, "-")
	n, err := strconv.Atoi(number)
	if err != nil {
		return -1
	}
	return n
}
