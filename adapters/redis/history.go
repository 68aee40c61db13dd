package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// history is the partitions of a broker in Redis, and what this process knows of them.
type history struct {
	// Static after openHistory.
	client     goredis.UniversalClient
	name       string
	partitions []*part
	records    int // that a partition keeps
	within     time.Duration
	logger     *slog.Logger
	origin     string // differs from that of every other
	crew       *crew

	calls atomic.Uint64
	away  away
}

// part is one partition.
type part struct {
	n                 int
	prefix            string // of its keys
	head, events, ids string
	calls             gang // on the way to its server

	mu    sync.Mutex
	knows gateway.Position // the newest that this process has seen
}

const (
	defaultBrokerPartitions = 64
	defaultRecords          = 4096
)

func openHistory(ctx context.Context, client goredis.UniversalClient, name string, o BrokerOptions) (*history, error) {
	if name == "" || strings.ContainsAny(name, "{}") {
		return nil, ErrName
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	h := &history{client: client, name: name, within: o.Timeout, logger: o.Logger, origin: rand.Text(), crew: newCrew()}
	if err := h.open(ctx, o); err != nil {
		h.crew.stop()
		return nil, fmt.Errorf("redis: open broker %q: %w", name, err)
	}
	return h, nil
}

func (h *history) open(ctx context.Context, o BrokerOptions) error {
	fresh, records := o.Partitions, ""
	if fresh <= 0 {
		fresh = defaultBrokerPartitions
	}
	if o.History > 0 {
		records = strconv.Itoa(o.History)
	}
	if err := h.crew.run(ctx, func(ctx context.Context) error { return refuseEviction(ctx, h.client) }); err != nil {
		return err
	}
	asked, err := h.crew.do(ctx, h.client, brokerOpenScript.call([]string{brokerPrefix + h.name + "}:layout"}, fresh, records, defaultRecords))
	if err != nil {
		return err
	}
	have, err := asked[0].StringSlice()
	if err != nil || len(have) != 3 {
		return fmt.Errorf("it answers %v: %w", asked[0].Val(), err)
	}
	if have[0] != layout {
		return ErrTooNew
	}
	partitions, e1 := strconv.Atoi(have[1])
	h.records, err = strconv.Atoi(have[2])
	if err = errors.Join(e1, err); err != nil || partitions < 1 || h.records < 1 {
		return fmt.Errorf("it has %q partitions of %q records", have[1], have[2])
	}
	if o.Partitions > 0 && o.Partitions != partitions {
		return fmt.Errorf("%w: %d", ErrPartitions, partitions)
	}
	for n := range partitions {
		prefix := brokerPrefix + h.name + "/" + strconv.Itoa(n) + "}:"
		h.partitions = append(h.partitions, &part{
			n: n, prefix: prefix, head: prefix + "head", events: prefix + "events", ids: prefix + "ids",
			calls: gang{client: h.client, crew: h.crew, within: h.within},
		})
	}
	return nil
}

func (h *history) of(topic string) *part { return h.partitions[hashTo(topic, len(h.partitions))] }

// note has the partition know of a position, and returns the newest that it knows of.
func (p *part) note(at gateway.Position) gateway.Position {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Epoch > p.knows.Epoch || at.Epoch == p.knows.Epoch && at.Offset > p.knows.Offset {
		p.knows = at
	}
	return p.knows
}

// publish appends a record and has it told. It is tried again while Redis is away.
func (h *history) publish(ctx context.Context, rec gateway.Record) error {
	p := h.of(rec.Topic)
	id := h.origin + strconv.FormatUint(h.calls.Add(1), 36)
	if rec.ID != "" {
		id = nameOfRecord(rec)
	}
	_, err := h.try(ctx, p, brokerPublishScript, id, encodeRecord(rec), p.topic(rec.Topic), h.records)
	return err
}

func (p *part) topic(name string) string { return p.prefix + "topic:" + name }

// look returns the partition's newest position, and has the feed of that channel hear a number behind all
// that was published before.
func (h *history) look(ctx context.Context, p *part, channel string, number uint64) (gateway.Position, error) {
	return h.try(ctx, p, brokerLookScript, channel, number)
}

// try runs a script that begins with where a partition is: each is the same when it is done twice.
func (h *history) try(ctx context.Context, p *part, s script, args ...any) (gateway.Position, error) {
	reply, err := h.ask(ctx, p, func() call {
		knows := p.note(gateway.Position{})
		return s.call([]string{p.head, p.events, p.ids}, append([]any{knows.Epoch, knows.Offset}, args...)...)
	})
	if err != nil {
		return gateway.Position{}, err
	}
	at, err := p.position(reply)
	p.note(at)
	return at, err
}

// ask makes a call until it is done, or fails for a reason that does not pass, or its time is over.
func (h *history) ask(ctx context.Context, p *part, what func() call) (any, error) {
	short, cancel := context.WithTimeout(ctx, h.within)
	defer cancel()
	var last error
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		reply, err := p.calls.do(short, what())
		if err == nil {
			return reply, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if last == nil || short.Err() == nil {
			last = err
		}
		if !passes(err) || short.Err() != nil {
			return nil, last
		}
		rest(short, wait)
	}
}

func (p *part) position(reply any) (gateway.Position, error) {
	if both, ok := reply.([]any); ok && len(both) >= 2 {
		epoch, one := both[0].(int64)
		offset, two := both[1].(int64)
		if one && two {
			return gateway.Position{Partition: uint32(p.n), Epoch: uint64(epoch), Offset: uint64(offset)}, nil
		}
	}
	return gateway.Position{}, fmt.Errorf("redis answers %v", reply)
}

// passes reports whether an error is one that passes: the server cannot be reached, or is about to serve.
func passes(err error) bool {
	if errors.Is(err, ErrClosed) || errors.Is(err, goredis.ErrClosed) {
		return false
	}
	var reply goredis.Error
	if !errors.As(err, &reply) {
		return true
	}
	for _, prefix := range []string{"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "MOVED", "ASK", "NOSCRIPT", "NOREPLICAS", "BUSY", "ERR max number of clients"} {
		if strings.HasPrefix(reply.Error(), prefix) {
			return true
		}
	}
	return false
}

// sinceAtOnce is how many records are read with one call.
const sinceAtOnce = 512

// since returns the records behind a position, oldest first, with all that were published before the call.
// A record that cannot be read has no topic.
func (h *history) since(ctx context.Context, from gateway.Position) ([]gateway.Record, error) {
	if int(from.Partition) >= len(h.partitions) || from.IsZero() {
		return nil, gateway.ErrGap
	}
	p := h.partitions[from.Partition]
	var recs []gateway.Record
	for end := uint64(0); ; {
		reply, err := h.ask(ctx, p, func() call {
			return brokerSinceScript.call([]string{p.head, p.events}, from.Offset, sinceAtOnce)
		})
		if err != nil {
			return nil, err
		}
		head, err := p.position(reply)
		if err != nil {
			return nil, err
		}
		if head.Epoch != from.Epoch || head.Offset < from.Offset {
			if head.Epoch == from.Epoch { // the server has lost what we know of: an epoch is to begin
				p.note(from)
				_, _ = h.look(ctx, p, p.prefix+"feed:", 0)
			}
			return nil, gateway.ErrGap
		}
		if end == 0 {
			end = head.Offset
		}
		page, err := p.page(reply, from)
		if err != nil {
			return nil, err
		}
		recs = append(recs, page...)
		from.Offset += uint64(len(page))
		if from.Offset >= end {
			return recs, nil
		}
		if len(page) == 0 {
			return nil, gateway.ErrGap
		}
	}
}

// page reads the records of a reply, which are to follow on a position.
func (p *part) page(reply any, from gateway.Position) (recs []gateway.Record, err error) {
	parts, _ := reply.([]any)
	if len(parts) != 3 {
		return nil, fmt.Errorf("redis answers %v", reply)
	}
	entries, _ := parts[2].([]any)
	for _, e := range entries {
		entry, _ := e.([]any)
		if len(entry) != 2 {
			return nil, errRecord
		}
		id, _ := entry[0].(string)
		fields, _ := entry[1].([]any)
		if from.Offset++; id != strconv.FormatUint(from.Offset, 10)+"-0" {
			return nil, gateway.ErrGap
		}
		text := ""
		if len(fields) == 2 {
			text, _ = fields[1].(string)
		}
		rec, err := decodeRecord(text, from)
		if err != nil {
			rec = gateway.Record{Position: from}
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

func (h *history) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if err := h.crew.close(ctx); err != nil {
		return fmt.Errorf("redis: close broker %q: %w", h.name, err)
	}
	return nil
}
