package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// history is a broker's stream: what was published, and from where the server sends it to who listens.
type history struct {
	stream
	*life
	broker     string
	partitions int
	prefix     string // of the ids of what is published here; nobody else has it
	published  atomic.Uint64
	states     shared[state]
}

func openHistory(ctx context.Context, js jetstream.JetStream, name string, o BrokerOptions) (*history, error) {
	if !validName(name) {
		return nil, ErrName
	}
	h := &history{stream: stream{js, js.Conn(), brokerPrefix + name}, life: newLife(), broker: name, prefix: rand.Text() + "-"}
	h.states.run = h.run
	h.states.ask = func() (state, error) {
		ctx, cancel := context.WithTimeout(h.ctx, patience/3)
		defer cancel()
		return h.info(ctx)
	}
	err := h.call(ctx, func(ctx context.Context) error {
		return persist(ctx, func(ctx context.Context) error { return h.open(ctx, o) })
	})
	if err != nil {
		h.stop()
		return nil, notOpened(h.conn, "broker", name, err)
	}
	return h, nil
}

func (h *history) open(ctx context.Context, o BrokerOptions) error {
	fresh := o.Partitions
	if fresh <= 0 {
		fresh = defaultBrokerPartitions
	}
	want := jetstream.StreamConfig{
		Name: h.name, Description: "gatehouse: the history of a broker", Subjects: []string{h.storedAt(">")},
		RePublish: &jetstream.RePublish{Source: h.storedAt(">"), Destination: h.sentAt(">")},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, AllowDirect: true,
		MaxAge: o.History, MaxBytes: o.HistoryBytes, Storage: o.Storage, Replicas: o.Replicas, Duplicates: min(knownFor, o.History),
		Metadata: map[string]string{metaLayout: strconv.Itoa(layout), metaPartitions: strconv.Itoa(fresh)},
	}
	s, err := ensure(ctx, h.js, want)
	if err != nil {
		return err
	}
	have := s.CachedInfo().Config
	if err := checkHistory(have, want); err != nil {
		return err
	}
	h.partitions, _ = strconv.Atoi(have.Metadata[metaPartitions])
	if o.Partitions > 0 && o.Partitions != h.partitions {
		return fmt.Errorf("%w: %d", ErrPartitions, h.partitions)
	}
	return nil
}

// checkHistory says what of a stream that is there breaks the promises of a broker.
func checkHistory(have, want jetstream.StreamConfig) error {
	version, _ := strconv.Atoi(have.Metadata[metaLayout])
	partitions, _ := strconv.Atoi(have.Metadata[metaPartitions])
	wrong := ""
	switch {
	case version < 1 || partitions < 1:
		wrong = "it was not made by this package"
	case version > layout:
		return ErrTooNew
	case fmt.Sprint(have.Subjects) != fmt.Sprint(want.Subjects):
		wrong = fmt.Sprintf("its subjects are %v", have.Subjects)
	case have.RePublish == nil || *have.RePublish != *want.RePublish:
		wrong = "it does not republish what is published"
	case have.Retention != want.Retention:
		wrong = fmt.Sprintf("its retention is %v, and not %v", have.Retention, want.Retention)
	case have.Discard != want.Discard:
		wrong = "it takes nothing when it is full"
	case have.MaxMsgsPerSubject > 0:
		wrong = fmt.Sprintf("it keeps %d messages of a topic, and gaps between them", have.MaxMsgsPerSubject)
	case !have.AllowDirect:
		wrong = "it cannot be read directly"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s: %s", ErrStream, want.Name, wrong)
}

// knownFor is for how long the server knows what was published already. Whoever does not hear that it was
// asks once more, for patience.
const knownFor = 3 * patience

// inProcess is the server's code for a message whose id it has, of one that is not stored yet and may not be.
const inProcess jetstream.ErrorCode = 10158

// publish puts a record into the stream. It is asked again when nobody answers: the server knows it by its id.
func (h *history) publish(ctx context.Context, rec gateway.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	subject, err := h.topicAt(rec.Topic)
	if err != nil {
		return err
	}
	m := natsgo.NewMsg(h.storedAt(subject))
	m.Data = encodeRecord(rec)
	id := nameOf(rec)
	if rec.ID == "" {
		id = h.prefix + strconv.FormatUint(h.published.Add(1), 36)
	}
	m.Header[jetstream.MsgIDHeader] = []string{id}
	if most := h.conn.MaxPayload() - headerRoom; most > 0 && int64(len(m.Data)) > most {
		return fmt.Errorf("%w: event %s has %d bytes, and the server takes %d", ErrTooLarge, rec.Type, len(m.Data), most)
	}
	return h.call(ctx, func(ctx context.Context) error {
		var refused *jetstream.APIError
		for {
			once, cancel := context.WithTimeout(ctx, patience/4)
			_, err := h.js.PublishMsg(once, m)
			cancel()
			switch {
			case ctx.Err() != nil:
				return err
			case errors.Is(err, context.DeadlineExceeded), errors.Is(err, natsgo.ErrTimeout):
			case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, natsgo.ErrNoResponders), // it has no leader, yet
				errors.As(err, &refused) && refused.ErrorCode == inProcess:
				rest(ctx, askAgain)
			default:
				return err
			}
		}
	})
}

// headerRoom is what the headers of a record need at most.
const headerRoom = 256

// since reads what a partition has behind a position.
func (h *history) since(ctx context.Context, from gateway.Position) ([]gateway.Record, error) {
	st, err := h.states.get(ctx)
	if err != nil {
		return nil, err
	}
	if from.Epoch != st.epoch || from.Partition >= uint32(h.partitions) || from.Offset+1 < st.first || from.Offset > st.last {
		return nil, gateway.ErrGap
	}
	filter := h.storedAt(strconv.Itoa(int(from.Partition)) + ".>")
	last, err := h.newest(ctx, filter) // the leader knows it; who is asked below may not, yet
	if err != nil {
		return nil, err
	}
	var recs []gateway.Record
	for at := from.Offset; at < last.seq; {
		some, _, err := h.read(ctx, filter, at+1)
		if err != nil {
			return nil, err
		}
		for _, k := range some {
			at = k.seq
			rec, ok := h.recordOf(k, st.epoch)
			if rec.Gap {
				return nil, gateway.ErrGap
			}
			if ok {
				recs = append(recs, rec)
			}
		}
		if len(some) > 0 {
			continue
		}
		rest(ctx, askAgain)
		if st, err := h.states.get(ctx); err != nil || st.first > at+1 { // what was to come is forgotten
			return nil, orGap(err)
		}
	}
	if st, err = h.states.get(ctx); err != nil || from.Offset+1 < st.first || st.epoch != from.Epoch {
		return nil, orGap(err) // some may have been forgotten while it was read
	}
	return recs, nil
}

// askAgain is when a server is asked again that does not know yet what its leader knows.
const askAgain = 20 * time.Millisecond

func orGap(err error) error {
	if err == nil {
		return gateway.ErrGap
	}
	return err
}

// recordOf is the record that a message is; what others put at another place is none. What cannot be read, as
// a newer version has written it, is a gap in its topic.
func (h *history) recordOf(k kept, epoch uint64) (gateway.Record, bool) {
	topic, partition, ok := h.placeOf(k.subject)
	if !ok {
		return gateway.Record{}, false
	}
	rec, ok := decodeRecord(k.data)
	if !ok {
		rec = gateway.Record{Gap: true}
	}
	rec.Topic = topic
	rec.Position = gateway.Position{Partition: partition, Epoch: epoch, Offset: k.seq}
	return rec, true
}
