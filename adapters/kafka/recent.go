package kafka

import (
	"crypto/sha256"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// recentRecords is how many records before one are looked at for its ID: whoever has read as many knows
// what repeats one of them, and all say the same.
const recentRecords = 512

// headerName is the header with what a record with an ID is known by.
const headerName = "gatehouse-id"

type name [16]byte

// headersOf has a record bear its ID, with its topic, as a hash: as long for every ID.
func headersOf(rec gateway.Record) []kgo.RecordHeader {
	if rec.ID == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(rec.ID))
	sum = sha256.Sum256(append(sum[:], rec.Topic...))
	return []kgo.RecordHeader{{Key: headerName, Value: sum[:len(name{})]}}
}

// recent are the names of the newest records of a partition. The zero value knows of none.
type recent struct {
	at    map[name]int64 // where the newest of that name is
	order []sighting     // oldest first
}

type sighting struct {
	name   name
	offset int64
}

// repeats notes the next record of the partition, and reports whether one of those before it has its ID. What was
// before a cut may be lost, and is published again with good reason.
func (c *recent) repeats(r *kgo.Record) bool {
	if isCut(r.Value) {
		*c = recent{}
		return false
	}
	var n name
	for _, h := range r.Headers {
		if h.Key == headerName {
			copy(n[:], h.Value)
		}
	}
	if n == (name{}) {
		return false
	}
	for len(c.order) > 0 && c.order[0].offset < r.Offset-recentRecords {
		if old := c.order[0]; c.at[old.name] == old.offset {
			delete(c.at, old.name)
		}
		c.order = c.order[1:]
	}
	if c.at == nil {
		c.at = make(map[name]int64)
	}
	at, known := c.at[n]
	c.at[n] = r.Offset
	c.order = append(c.order, sighting{n, r.Offset})
	return known && at < r.Offset
}
