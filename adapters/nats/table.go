package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StoreOptions configure [Sessions], [Presence] and [Directory]. The zero value works. They are of a store that is
// made: one that is there stays as it is.
type StoreOptions struct {
	// Replicas is on how many servers of a cluster everything is kept: 1, 3 or 5. 0: 1.
	Replicas int

	// Storage is where; jetstream.MemoryStorage is gone when the server ends.
	Storage jetstream.StorageType

	// MaxBytes is how much may be kept: what does not fit is refused. 0: as much as the account
	// has. Some accounts want it to be set.
	MaxBytes int64

	// Logger is told, once, that there is presence of a newer version: it is not seen here; nil:
	// slog.Default.
	Logger *slog.Logger
}

// table is a stream with one message for each subject: what is kept under a key. Who replaces one says
// which: its revision is its sequence.
type table struct {
	stream
	*life
	prefix string // of the subjects
	want   jetstream.StreamConfig
}

// openTable opens what has a name, and makes it if it is not there yet: on the server,
//
//	gatehouse-WHAT-NAME          stream
//	gatehouse.WHAT.NAME.KEY      subject
func openTable(ctx context.Context, js jetstream.JetStream, what, name string, o StoreOptions) (*table, error) {
	if !validName(name) {
		return nil, ErrName
	}
	t := &table{stream: stream{js, js.Conn(), "gatehouse-" + what + "-" + name}, life: newLife(), prefix: "gatehouse." + what + "." + name + "."}
	if o.MaxBytes <= 0 {
		o.MaxBytes = -1 // JetStream's word for no limit
	}
	t.want = jetstream.StreamConfig{
		Name: t.name, Description: "gatehouse: " + what, Subjects: []string{t.prefix + ">"},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew, MaxMsgsPerSubject: 1, MaxBytes: o.MaxBytes,
		Storage: o.Storage, Replicas: max(1, o.Replicas), AllowMsgTTL: true, AllowDirect: true,
		Metadata: map[string]string{metaLayout: strconv.Itoa(layout)},
	}
	err := t.call(ctx, t.mend)
	if err != nil {
		t.stop()
		return nil, notOpened(t.conn, what, name, err)
	}
	return t, nil
}

// mend makes the stream if it is not there.
func (t *table) mend(ctx context.Context) error {
	return persist(ctx, func(ctx context.Context) error {
		s, err := ensure(ctx, t.js, t.want)
		if err != nil {
			return err
		}
		have := s.CachedInfo().Config
		if !have.AllowMsgTTL || !have.AllowDirect {
			return fmt.Errorf("%w: %s: it has no times to live, or cannot be read directly", ErrStream, t.want.Name)
		}
		return check(have, t.want)
	})
}

// lost reports whether there is no such stream: whoever writes to it, or reads it, is answered by nobody.
func lost(err error) bool {
	return code(err) == jetstream.JSErrCodeStreamNotFound || errors.Is(err, natsgo.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse)
}

// get is what is kept under a key, as the leader knows it; its seq is 0 if there is nothing.
func (t *table) get(ctx context.Context, key string) (kept, error) {
	return t.newest(ctx, t.prefix+key)
}

// put keeps something under a key in place of what has the revision, 0 for nothing, and for as long as ttl
// if that is not 0. Of an error that is outdated something else is there.
func (t *table) put(ctx context.Context, key string, data []byte, revision uint64, ttl time.Duration) (uint64, error) {
	return t.write(ctx, key, data, ttl, jetstream.WithExpectLastSequencePerSubject(revision))
}

// write is put, in place of what there is unless the options say something else.
func (t *table) write(ctx context.Context, key string, data []byte, ttl time.Duration, o ...jetstream.PublishOpt) (uint64, error) {
	if most := t.conn.MaxPayload() - headerRoom; most > 0 && int64(len(data)) > most {
		return 0, fmt.Errorf("%w: %d bytes, and it takes %d", ErrTooLarge, len(data), most)
	}
	m := natsgo.NewMsg(t.prefix + key)
	m.Data = data
	if ttl != 0 {
		o = append(o, jetstream.WithMsgTTL(wholeSeconds(ttl)))
	}
	said, err := t.js.PublishMsg(ctx, m, o...)
	if err != nil {
		return 0, err
	}
	return said.Sequence, nil
}

// wholeSeconds is what the server counts in: one of them at least, and no more than it can count.
func wholeSeconds(d time.Duration) time.Duration {
	const most = 100 * 365 * 24 * time.Hour
	return min(max(d, 0), most).Truncate(time.Second) + time.Second
}

// remove removes what has a revision, unless something has taken its place.
func (t *table) remove(ctx context.Context, key string, revision uint64) error {
	var said struct{}
	err := t.ask(ctx, "STREAM.MSG.DELETE", map[string]any{"seq": revision, "no_erase": true}, &said)
	if err == nil || code(err) == 0 {
		return err
	}
	now, e := t.get(ctx, key)
	if e != nil || now.seq == revision {
		return errors.Join(err, e)
	}
	return errReplaced
}

var errReplaced = errors.New("nats: something else is there")

// scan calls f for what is kept under keys from a sequence on, oldest first; the subject may have wildcards. What
// is written meanwhile may come too, and a key twice. It returns the last sequence, or from-1.
func (t *table) scan(ctx context.Context, keys string, from uint64, f func(kept)) (uint64, error) {
	at := from - 1
	for {
		last, err := t.get(ctx, keys) // what the leader has; who is asked below may not, yet
		if err != nil || last.seq <= at {
			return at, err
		}
		some, _, err := t.read(ctx, t.prefix+keys, at+1)
		if err != nil {
			return at, err
		}
		for _, k := range some {
			at = k.seq
			f(k)
		}
		if len(some) == 0 {
			rest(ctx, askAgain)
		}
		if ctx.Err() != nil {
			return at, ctx.Err()
		}
	}
}
