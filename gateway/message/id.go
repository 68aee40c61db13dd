package message

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// ID is a snowflake: 42 bits of milliseconds since Epoch, 10 bits of the node that gave it, 12
// bits of sequence, as Discord and Twitter before it have them. Ids order by time. As text and
// in JSON it is a decimal string, since JavaScript's numbers end at 2^53. It fits an int64.
type ID uint64

// Epoch is where ids begin to count: the first second of 2015, as on Discord.
var Epoch = time.UnixMilli(1420070400000).UTC()

const (
	nodeBits     = 10
	sequenceBits = 12
	maxNode      = 1<<nodeBits - 1
	maxSequence  = 1<<sequenceBits - 1
	timeBits     = 41 // of 42, so that it fits an int64: until 2084
)

// At returns the lowest id of a moment: before it are the ids of all that was said earlier. A
// moment before Epoch is Epoch.
func At(t time.Time) ID {
	ms := max(0, t.Sub(Epoch).Milliseconds())
	return ID(min(ms, 1<<timeBits-1) << (nodeBits + sequenceBits))
}

// Time is when the id was given, to the millisecond, or later: see [IDs].
func (i ID) Time() time.Time { return Epoch.Add(time.Duration(i.millis()) * time.Millisecond) }

// Node is who gave the id.
func (i ID) Node() int { return int(i>>sequenceBits) & maxNode }

func (i ID) millis() int64 { return int64(i >> (nodeBits + sequenceBits)) }

func (i ID) String() string { return strconv.FormatUint(uint64(i), 10) }

// MarshalText makes the id a decimal string.
func (i ID) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(i), 10), nil }

// UnmarshalText reads it back.
func (i *ID) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 63)
	if err != nil {
		return fmt.Errorf("message: %q is no id", text)
	}
	*i = ID(n)
	return nil
}

// IDs gives ids, each higher than the one before, up to 4,096 a millisecond; who asks for more
// gets those of the next. When the clock goes backwards, ids go on from where they were, and
// their times are ahead of the clock until it has caught up: an id is never given twice, and
// nobody waits. After a restart the newest id in the channel's store takes the place of the
// memory that was lost, see Next. Make one with [NewIDs]; it is safe for concurrent use.
type IDs struct {
	node ID
	now  func() time.Time

	mu   sync.Mutex
	last ID // without the node
}

// maxAhead is how far ids may be ahead of the clock.
const maxAhead = time.Minute

// NewIDs returns a source of ids for a node, 0 to 1023. Two nodes that give ids for the same
// store must differ.
func NewIDs(node int) *IDs { return newIDs(node, time.Now) }

func newIDs(node int, now func() time.Time) *IDs {
	if node < 0 || node > maxNode {
		panic(fmt.Sprintf("message: node %d is not one of 0 to %d", node, maxNode))
	}
	return &IDs{node: ID(node) << sequenceBits, now: now}
}

// Next returns an id higher than after, which may be another node's. The error is ErrClock when
// it would be a minute or more ahead of the clock.
func (s *IDs) Next(after ID) (ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := At(s.now())
	id := max(s.last.following(), now)
	if id|s.node <= after {
		id = ID(after.millis()+1) << (nodeBits + sequenceBits)
	}
	if id.millis() > now.millis()+maxAhead.Milliseconds() {
		return 0, fmt.Errorf("%w: %d, given %s", ErrClock, after, after.Time().Format(time.RFC3339))
	}
	s.last = id
	return id | s.node, nil
}

// following is the next id of the same node, here without its bits.
func (i ID) following() ID {
	if i&maxSequence == maxSequence {
		return ID(i.millis()+1) << (nodeBits + sequenceBits)
	}
	return i + 1
}
